import type { Db } from './db.ts';

export type Statements = ReturnType<typeof prepareStatements>;

const claimColumns = 'task, pool, status, place, owner, token, hash';

/** Every statement of the journal, prepared once per connection. `copy` ones read the second copy (see `schema.ts`). */
export function prepareStatements(db: Db) {
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    rollback: db.prepare('ROLLBACK'),
    savepoint: db.prepare('SAVEPOINT batch'),
    rollbackToSavepoint: db.prepare('ROLLBACK TO batch'),
    releaseSavepoint: db.prepare('RELEASE batch'),

    insertRow: db.prepare('INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)'),
    rowAt: db.prepare('SELECT * FROM journal WHERE seq = ?'),
    rowsAfter: db.prepare('SELECT * FROM journal WHERE seq > ? ORDER BY seq LIMIT ?'),
    lastRow: db.prepare('SELECT seq, row_hash FROM journal ORDER BY seq DESC LIMIT 1'),

    writeGap: db.prepare('INSERT OR REPLACE INTO gaps VALUES (?, ?, ?)'),
    gaps: db.prepare('SELECT * FROM gaps ORDER BY first_seq'),

    writeSnapshot: db.prepare('INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?)'),
    dropSnapshots: db.prepare(
      'DELETE FROM snapshots WHERE seq NOT IN (SELECT seq FROM snapshots ORDER BY seq DESC LIMIT ?)',
    ),
    snapshotSeqs: db.prepare('SELECT seq FROM snapshots ORDER BY seq DESC'),
    snapshotAt: db.prepare('SELECT * FROM snapshots WHERE seq = ?'),

    meta: db.prepare('SELECT value, hash FROM meta WHERE name = ?'),
    writeMeta: db.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?, ?)'),

    claim: db.prepare(`SELECT ${claimColumns} FROM claims WHERE task = ?`),
    writeClaim: db.prepare(`INSERT OR REPLACE INTO claims (${claimColumns}) VALUES (?, ?, ?, ?, ?, ?, ?)`),
    firstWaiting: db.prepare(
      `SELECT ${claimColumns} FROM claims WHERE pool = ? AND status = 'waiting' ORDER BY place LIMIT 1`,
    ),
    claimed: db.prepare(`SELECT ${claimColumns} FROM claims WHERE pool = ? AND status = 'claimed' ORDER BY place`),
    lastPlace: db.prepare(`
      SELECT max(place) AS place FROM (
        SELECT max(place) AS place FROM claims WHERE pool = ? AND status = 'waiting'
        UNION ALL SELECT max(place) FROM claims WHERE pool = ? AND status = 'claimed'
        UNION ALL SELECT max(place) FROM claims WHERE pool = ? AND status = 'done'
      )`),
    claims: db.prepare(`SELECT ${claimColumns} FROM claims NOT INDEXED ORDER BY task`),
    claimsCopy: db.prepare(`SELECT ${claimColumns} FROM claims INDEXED BY claims_copy ORDER BY pool, status, place`),

    seat: db.prepare('SELECT name, owner, token, hash FROM seats WHERE name = ?'),
    writeSeat: db.prepare('INSERT OR REPLACE INTO seats VALUES (?, ?, ?, ?)'),
    seats: db.prepare('SELECT name, owner, token, hash FROM seats NOT INDEXED ORDER BY name'),
    seatsCopy: db.prepare('SELECT name, owner, token, hash FROM seats INDEXED BY seats_copy ORDER BY owner'),
  };
}
