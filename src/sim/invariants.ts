/** What must hold in every history, by the name a failure is told with. */
export const invariants = {
  'no-assertion': 'Our own assertions hold',
  'acked-durable': 'Nothing is answered, done or shown before the events it rests on are on disk',
  'task-kept': 'A task that was accepted is queued, has a session, or was removed because someone asked',
  'one-process': 'A session never has two live processes',
  'one-start': 'One request to launch starts at most one process, whoever repeats it',
  'ends-once': 'A process ends once, however often that is told',
  'known-process': 'Every live process has a session that knows it',
  slots: 'Nothing is started beyond the slots',
  'queue-order': 'Of the waiting tasks the most urgent starts first, and the older of two alike',
  'tokens-rise': 'Epochs, incarnations and claims only ever rise, and time on record never goes back',
  'epoch-obeyed': 'A holder obeys no daemon that another has replaced',
  replay: 'The journal, from its first event or from any snapshot, gives exactly the state that was lived',
  published: 'What clients see is what is on record',
  'message-once': 'A message is typed at most once',
  'message-allowed': 'A message is typed only where a prompt may be: never into a dialog, a pause or an ending process',
  'stop-ends': 'A stopped process is gone soon, even if it will not listen',
  spared: 'No process is signalled unless someone stopped its session',
  'removal-safe': 'A session is removed only on request, and never while it lives',
  'loss-told': 'What is said about a loss is what happened',
  owner: 'The state of a session fits what it has: a process, a launch, or neither',
  unique: 'Names, tabs and branches are taken once',
  'no-starving': 'With a free slot no task waits; with an agent that takes messages none waits either',
  quiet: 'When nothing goes wrong any more, everything comes to rest and nothing is left half done',
  truth: 'What a session is believed to do is what its agent last said about itself',
  forgotten: 'Neither holders nor the fleet keep anything of sessions that were removed',
} as const;

export type InvariantName = keyof typeof invariants;

export interface Violation {
  invariant: InvariantName;
  message: string;
}
