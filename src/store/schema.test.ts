import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../test/support/store/fixtures.ts';
import { type Db, openSqlite } from './db.ts';
import { copyInto, definitionsHash, hashDefinitions, migrate, readDefinitions, readSchema } from './schema.ts';

const first = 'CREATE TABLE notes (text TEXT NOT NULL) STRICT;';
const second = `ALTER TABLE notes ADD COLUMN at INTEGER; UPDATE notes SET at = 7;`;
const failing = 'CREATE TABLE half (a) STRICT;';

let path = '';
let db: Db;
beforeEach(() => {
  const folder = temporaryFolder();
  path = join(folder.path, 'journal.db');
  db = openSqlite(path, 'create');
  onTestFinished(() => {
    db[Symbol.dispose]();
    folder[Symbol.dispose]();
  });
});

test('the definitions are the ones this build knows, in a copy too', () => {
  migrate(db, path);
  copyInto(db, `${path}.copy`);
  using copy = openSqlite(`${path}.copy`, 'read');
  expect([db, copy].map((one) => hashDefinitions(readDefinitions(one)))).toEqual([definitionsHash, definitionsHash]);
});

test('a new journal gets the whole schema at once, and no copy of nothing', () => {
  migrate(db, path, [first, second]);
  expect(readSchema(db)).toEqual({ version: 2, isOurs: true, isEmpty: false, isAsWritten: false });
  expect(existsSync(`${path}.before-2`)).toBe(false);
});

test('an older journal keeps what it holds, and a copy of how it was', () => {
  migrate(db, path, [first]);
  db.exec(`INSERT INTO notes VALUES ('kept')`);
  migrate(db, path, [first, second]);
  expect(db.prepare('SELECT * FROM notes').all()).toEqual([{ text: 'kept', at: 7 }]);
  using copy = openSqlite(`${path}.before-2`, 'read');
  expect({ ...readSchema(copy), notes: copy.prepare('SELECT * FROM notes').all() }).toEqual({
    version: 1,
    isOurs: true,
    isEmpty: false,
    isAsWritten: false,
    notes: [{ text: 'kept' }],
  });
});

test('a step that fails changes nothing, and can be tried again', () => {
  migrate(db, path, [first]);
  db.exec(`INSERT INTO notes VALUES ('kept')`);
  expect(() => migrate(db, path, [first, second, failing])).toThrow('half');
  expect({ ...readSchema(db), notes: db.prepare('SELECT * FROM notes').all() }).toMatchObject({
    version: 1,
    notes: [{ text: 'kept' }],
  });
  migrate(db, path, [first, second]);
  expect(readSchema(db).version).toBe(2);
});
