import { closeSync, copyFileSync, existsSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { type Db, openSqlite } from './db.ts';
import { migrate, readDefinitions } from './schema.ts';
import { errorCode } from './store-error.ts';

/**
 * Fields of the database header that are the same in every journal, as [offset, length] (sqlite.org/fileformat.html):
 * magic to payload fractions, schema format, text encoding with schema version, application id.
 */
const constantHeaderFields = [
  [0, 24],
  [44, 4],
  [56, 8],
  [68, 4],
] as const;

/**
 * Makes `copy` a copy of a journal with the words of its first page (header and table definitions) written anew: they are
 * the same in every journal, yet one wrong bit in them hides everything else. Whatever is then read must prove itself.
 */
export function healFirstPage(path: string, copy: string): void {
  const model = `${copy}.model`;
  removeDatabase(model);
  removeDatabase(copy);
  copyFileSync(path, copy);
  if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`);
  try {
    const definitions = makeModel(model);
    copyHeader(model, copy);
    using db = openSqlite(copy, 'heal');
    const define = prepareAtLast(
      db,
      'UPDATE sqlite_master SET type = ?, name = ?, tbl_name = ?, sql = ? WHERE rowid = ?',
    );
    for (const { rowid, type, name, table, sql } of definitions) define.run(type, name, table, sql, rowid);
  } finally {
    removeDatabase(model);
  }
}

export function removeDatabase(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
}

function makeModel(path: string) {
  using db = openSqlite(path, 'create');
  migrate(db, path);
  return readDefinitions(db);
}

function copyHeader(from: string, to: string): void {
  const source = openSync(from, 'r');
  const target = openSync(to, 'r+');
  try {
    for (const [offset, length] of constantHeaderFields) {
      const field = Buffer.alloc(length);
      readSync(source, field, 0, length, offset);
      writeSync(target, field, 0, length, offset);
    }
  } finally {
    closeSync(source);
    closeSync(target);
  }
}

/** The first statement on a damaged schema fails, the next is made from what could be read of it. */
function prepareAtLast(db: Db, sql: string) {
  try {
    return db.prepare(sql);
  } catch (error) {
    if (!errorCode(error).startsWith('SQLITE_')) throw error;
    return db.prepare(sql);
  }
}
