import type { ErrorCode } from '../protocol/index.ts';
import type { Evidence, ExitFacts, LossCause, ProcessFacts, TaskSpec, WorktreeFacts } from './events.ts';

/** Everything that can reach the heart: what people ask for, and what the world reports. `at` is ms since the epoch. */
export type Input = Command | Report;

/** Ids are minted outside, so that the same input always gives the same state. */
export type Command =
  | {
      type: 'task/start';
      at: number;
      task: string;
      session: string;
      project: { id: string; root: string; name: string };
      spec: Omit<TaskSpec, 'project'>;
    }
  | { type: 'task/remove'; at: number; task: string }
  | { type: 'session/stop'; at: number; session: string }
  | { type: 'session/resume'; at: number; session: string }
  | { type: 'session/pause'; at: number; session: string }
  | { type: 'session/settle'; at: number; session: string }
  | { type: 'session/rename'; at: number; session: string; name: string }
  | { type: 'session/bind-tab'; at: number; session: string; tab: number | null }
  | { type: 'session/send'; at: number; session: string; message: string; text: string; now: boolean }
  | { type: 'session/remove'; at: number; session: string; force: boolean }
  /** `device` null gives the seat back; `take` is the explicit take-over. */
  | { type: 'session/drive'; at: number; session: string; device: string | null; from: string | null; take: boolean };

export type Report =
  | { type: 'daemon/started'; at: number; epoch: number; pid: number; version: string; bootId: string; slots: number }
  | { type: 'daemon/stopping'; at: number }
  | { type: 'recovery/inventory'; at: number; channels: readonly FoundChannel[]; bootId: string }
  | { type: 'worktree/created'; at: number; session: string; worktree: WorktreeFacts }
  | { type: 'worktree/failed'; at: number; session: string; code: ErrorCode; message: string }
  | { type: 'worktree/removed'; at: number; session: string; backupRef: string | null }
  | { type: 'worktree/kept'; at: number; session: string; message: string }
  | {
      type: 'process/started';
      at: number;
      session: string;
      incarnation: number;
      process: ProcessFacts;
      prompt: { message: string; text: string } | null;
    }
  | { type: 'process/failed'; at: number; session: string; incarnation: number; code: ErrorCode; message: string }
  | { type: 'process/exited'; at: number; session: string; incarnation: number; exit: ExitFacts }
  | { type: 'process/lost'; at: number; session: string; incarnation: number; cause: LossCause }
  | { type: 'holder/seen'; at: number; holder: string; pid: number; alive: boolean }
  | { type: 'session/evidence'; at: number; session: string; incarnation: number; evidence: readonly Evidence[] }
  | { type: 'session/output'; at: number; session: string; incarnation: number; head: number }
  | { type: 'session/title'; at: number; session: string; incarnation: number; title: string }
  | { type: 'session/footprint'; at: number; session: string; incarnation: number; footprintMiB: number }
  | {
      type: 'session/terminal-paused';
      at: number;
      session: string;
      incarnation: number;
      reason: string | null;
      message: string;
    }
  /** Nothing of it was typed. */
  | {
      type: 'message/failed';
      at: number;
      session: string;
      incarnation: number;
      message: string;
      text: string;
      steer: boolean;
    }
  /** Time passed; sent at `nextWakeAt` or later. */
  | { type: 'tick'; at: number };

/** A channel some living holder has, or an exit its log tells of. */
export interface FoundChannel {
  session: string;
  incarnation: number;
  holder: string;
  pid: number | null;
  exit: ExitFacts | null;
}

/** What the daemon is to make real. Run only after the events that ask for it are durable; each is safe to run twice. */
export type Effect =
  | { type: 'worktree/create'; session: string }
  | { type: 'session/launch'; session: string; incarnation: number; resume: boolean }
  | { type: 'process/signal'; session: string; incarnation: number; signal: 'SIGTERM' | 'SIGKILL' }
  | { type: 'message/type'; session: string; incarnation: number; message: string; text: string; steer: boolean }
  | { type: 'worktree/remove'; session: string; force: boolean }
  /** Drop screens and close the holder's channel; the log moves to the trash. */
  | { type: 'session/forget'; session: string };
