import * as z from 'zod';

/** Ids are a one-letter kind, `_`, and characters of the alphabet of `Random.id`. Any unique prefix of at least two characters names the thing on the command line. */
const id = <Brand extends string>(letter: string) =>
  z
    .string()
    .regex(new RegExp(`^${letter}_[a-z0-9]{4,32}$`))
    .brand<Brand>();

export const SessionId = id<'SessionId'>('s');
export type SessionId = z.infer<typeof SessionId>;
export const TaskId = id<'TaskId'>('t');
export type TaskId = z.infer<typeof TaskId>;
export const AskId = id<'AskId'>('a');
export type AskId = z.infer<typeof AskId>;
export const ProjectId = id<'ProjectId'>('p');
export type ProjectId = z.infer<typeof ProjectId>;
export const HolderId = id<'HolderId'>('h');
export type HolderId = z.infer<typeof HolderId>;
