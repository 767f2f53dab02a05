import type { Db, Statement } from './db.ts';

export type Statements = ReturnType<typeof prepareStatements>;

const claimColumns = 'task, pool, status, place, owner, token, hash';

/** Every statement of the journal, prepared once per connection, at its first use. `copy` ones read the second copy (see `schema.ts`). */
export function prepareStatements(db: Db) {
  const prepare = (sql: string) => prepareAtFirstUse(db, sql);
  return {
    begin: prepare('BEGIN IMMEDIATE'),
    commit: prepare('COMMIT'),
    rollback: prepare('ROLLBACK'),
    savepoint: prepare('SAVEPOINT batch'),
    rollbackToSavepoint: prepare('ROLLBACK TO batch'),
    releaseSavepoint: prepare('RELEASE batch'),

    insertRow: prepare('INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)'),
    rowAt: prepare('SELECT * FROM journal WHERE seq = ?'),
    rowsAfter: prepare('SELECT * FROM journal WHERE seq > ? ORDER BY seq LIMIT ?'),
    lastRow: prepare('SELECT seq, row_hash FROM journal ORDER BY seq DESC LIMIT 1'),

    writeGap: prepare('INSERT OR REPLACE INTO gaps VALUES (?, ?, ?)'),
    gaps: prepare('SELECT * FROM gaps ORDER BY first_seq'),

    writeSnapshot: prepare('INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?)'),
    dropSnapshots: prepare(
      'DELETE FROM snapshots WHERE seq NOT IN (SELECT seq FROM snapshots ORDER BY seq DESC LIMIT ?)',
    ),
    snapshotSeqs: prepare('SELECT seq FROM snapshots ORDER BY seq DESC'),
    snapshotAt: prepare('SELECT * FROM snapshots WHERE seq = ?'),

    meta: prepare('SELECT value, hash FROM meta WHERE name = ?'),
    writeMeta: prepare('INSERT OR REPLACE INTO meta VALUES (?, ?, ?)'),

    claim: prepare(`SELECT ${claimColumns} FROM claims WHERE task = ?`),
    writeClaim: prepare(`INSERT OR REPLACE INTO claims (${claimColumns}) VALUES (?, ?, ?, ?, ?, ?, ?)`),
    firstWaiting: prepare(
      `SELECT ${claimColumns} FROM claims WHERE pool = ? AND status = 'waiting' ORDER BY place LIMIT 1`,
    ),
    claimed: prepare(`SELECT ${claimColumns} FROM claims WHERE pool = ? AND status = 'claimed' ORDER BY place`),
    lastPlace: prepare(`
      SELECT max(place) AS place FROM (
        SELECT max(place) AS place FROM claims WHERE pool = ? AND status = 'waiting'
        UNION ALL SELECT max(place) FROM claims WHERE pool = ? AND status = 'claimed'
        UNION ALL SELECT max(place) FROM claims WHERE pool = ? AND status = 'done'
      )`),
    claims: prepare(`SELECT ${claimColumns} FROM claims NOT INDEXED ORDER BY task`),
    claimsCopy: prepare(`SELECT ${claimColumns} FROM claims INDEXED BY claims_copy ORDER BY pool, status, place`),

    seat: prepare('SELECT name, owner, token, hash FROM seats WHERE name = ?'),
    writeSeat: prepare('INSERT OR REPLACE INTO seats VALUES (?, ?, ?, ?)'),
    seats: prepare('SELECT name, owner, token, hash FROM seats NOT INDEXED ORDER BY name'),
    seatsCopy: prepare('SELECT name, owner, token, hash FROM seats INDEXED BY seats_copy ORDER BY owner'),
  };
}

/** Opening a journal needs a few of them; all would take longer than everything else it does. */
function prepareAtFirstUse(db: Db, sql: string): Statement {
  let prepared: Statement | null = null;
  const statement = () => {
    prepared ??= db.prepare(sql);
    return prepared;
  };
  return {
    run: (...values) => statement().run(...values),
    get: (...values) => statement().get(...values),
    all: (...values) => statement().all(...values),
    each: (...values) => statement().each(...values),
  };
}
