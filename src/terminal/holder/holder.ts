import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import type { Log } from '../../base/index.ts';
import {
  decodeJson,
  type FrameHeader,
  FrameType,
  type HolderPause,
  type HolderRefused,
  type HolderStart,
  holderProtocolVersion,
  readOffset,
} from '../../protocol/index.ts';
import { Channel } from './channel.ts';
import type { StartChild } from './child.ts';
import { EpochFile } from './epoch-file.ts';
import type { HolderConfig } from './holder-config.ts';
import { HolderTick } from './holder-tick.ts';
import { claimLogFolder, releaseLogFolder } from './log-claim.ts';
import type { LogFiles } from './log-files.ts';
import type { OrphanGuard } from './orphan-guard.ts';
import { OwnRegistration } from './own-registration.ts';
import { Peer } from './peer.ts';
import {
  BadFrame,
  readClose,
  readGrant,
  readHello,
  readRevoke,
  readSignal,
  readStart,
  readSubscribe,
  sizeMax,
} from './read-frames.ts';
import { rightTo } from './rights.ts';
import { Subscription } from './subscription.ts';
import { Tickets } from './tickets.ts';

/** Connections at once. Terminals leave some free, so that they cannot lock out the daemon and its screens. */
const connectionsMax = 64;
const terminalsMax = 48;
/** Channels at once, forgotten ones not counted: sessions, their sidecars, and ended ones nobody closed yet. */
const channelsMax = 1024;

interface HolderPorts {
  startChild: StartChild;
  guard: OrphanGuard;
  now: () => number;
  log: Log;
  files?: LogFiles;
  /** Nothing left to hold, or asked to: the process may exit. */
  onDone: () => void;
}

/** The server of one holder process: channels, who is connected, and who may do what. */
export class Holder implements Disposable {
  readonly #config: HolderConfig;
  readonly #ports: HolderPorts;
  readonly #server: Server;
  readonly #tick: HolderTick;
  readonly #epoch: EpochFile;
  readonly #registration: OwnRegistration;
  readonly #channels = new Map<number, Channel>();
  /** Closed ones whose log is not complete yet. */
  readonly #finishing = new Set<Channel>();
  readonly #peers = new Set<Peer>();
  readonly #tickets = new Tickets();
  #lastChannel = 0;
  #idle: NodeJS.Timeout | null = null;
  #isDone = false;

  private constructor(config: HolderConfig, ports: HolderPorts) {
    this.#config = config;
    this.#ports = ports;
    this.#registration = new OwnRegistration(config, ports.now(), ports.log);
    this.#tick = new HolderTick(config.tickMs);
    mkdirSync(config.stateDir, { recursive: true, mode: 0o700 });
    mkdirSync(config.registryDir, { recursive: true, mode: 0o700 });
    this.#epoch = new EpochFile(join(config.stateDir, 'epoch'));
    this.#server = createServer((socket) => this.#connected(socket));
    // Those above the limit are told, this many at once; more are dropped without a word.
    this.#server.maxConnections = 4 * connectionsMax;
  }

  /** Listens, then registers: whoever reads the registry can connect. */
  static async open(config: HolderConfig, ports: HolderPorts): Promise<Holder> {
    const holder = new Holder(config, ports);
    await holder.#listen();
    holder.#registration.write();
    holder.#watchIdle();
    return holder;
  }

  /** Connections there are now. */
  get peers(): number {
    return this.#peers.size;
  }

  /**
   * Ends in order: hangs up what still runs, waits up to `graceMs`, kills the rest, writes all logs. For a shutdown of
   * the machine; a daemon that stops never asks for this.
   */
  async end(graceMs: number): Promise<void> {
    for (const channel of this.#living()) channel.signal('SIGHUP', 'group');
    await this.#until(() => this.#living().length === 0, graceMs);
    for (const channel of this.#living()) channel.signal('SIGKILL', 'group');
    await this.#until(() => this.#isSettled(), graceMs);
    this.#done();
  }

  /** Closes everything at once. Children lose their terminals. */
  [Symbol.dispose](): void {
    this.#isDone = true;
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#tick[Symbol.dispose]();
    for (const channel of [...this.#channels.values(), ...this.#finishing]) channel[Symbol.dispose]();
    for (const peer of this.#peers) peer[Symbol.dispose]();
    this.#ports.guard[Symbol.dispose]();
    this.#server.close();
    this.#registration[Symbol.dispose]();
    rmSync(this.#config.socket, { force: true });
  }

  async #listen(): Promise<void> {
    const { socket } = this.#config;
    const folder = dirname(socket);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if ((lstatSync(folder).mode & 0o077) !== 0) chmodSync(folder, 0o700);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(socket, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => this.#ports.log.error('The socket failed', { reason: error.message }));
        resolve();
      });
    });
    chmodSync(socket, 0o600);
  }

  #connected(socket: Socket): void {
    const peer = new Peer(socket, this.#tick, {
      onFrame: (header, payload) => this.#received(peer, header, payload),
      onBroken: (error) => {
        const reason = error instanceof BadFrame ? error.message : error.stack;
        const facts = { role: peer.hello?.role ?? 'none', reason };
        this.#ports.log.warn('Let a connection go that broke the protocol', facts);
      },
      onClose: () => {
        for (const [number, subscription] of peer.subscriptions) {
          this.#channels.get(number)?.subscriptions.delete(subscription);
        }
        this.#peers.delete(peer);
        this.#watchIdle();
      },
    });
    this.#peers.add(peer);
    if (this.#peers.size > connectionsMax) {
      peer.end({ code: 'full', message: `All ${connectionsMax} connections of this holder are in use` });
    }
  }

  #received(peer: Peer, header: FrameHeader, payload: Uint8Array): void {
    if (peer.hello === null) return this.#greet(peer, header, payload);
    if (peer.hello.role !== 'terminal' && !this.#acceptsEpoch(peer, header.epoch)) return;
    const right = rightTo(peer.hello.role, header.type);
    if (right !== 'allowed') {
      const isForbidden = right === 'forbidden';
      return peer.refuse(header.channel, {
        code: isForbidden ? 'no-ticket' : 'unknown-frame',
        frame: header.type,
        message: isForbidden ? `A ${peer.hello.role} may not send this` : 'This holder does not know such frames',
      });
    }
    if (header.type === FrameType.list) return this.#list(peer);
    if (header.type === FrameType.shutdown) return this.#shutdown(peer);
    if (header.type === FrameType.start) return this.#start(peer, readStart(decodeJson(payload)));
    const channel = this.#channels.get(header.channel);
    if (channel === undefined) {
      return peer.refuse(header.channel, {
        ...requestIdOf(header.type, payload),
        code: 'unknown-channel',
        frame: header.type,
        message: `This holder has no channel ${header.channel}`,
      });
    }
    this.#act(peer, channel, header.type, payload);
  }

  #act(peer: Peer, channel: Channel, type: number, payload: Uint8Array): void {
    if (peer.hello?.role === 'terminal' && this.#tickets.find(peer.hello.ticket)?.channel !== channel.number) {
      return peer.refuse(channel.number, {
        code: 'no-ticket',
        frame: type,
        message: 'The ticket is for another channel',
      });
    }
    switch (type) {
      case FrameType.subscribe: {
        this.#unsubscribe(peer, channel);
        const subscription = new Subscription(channel, peer, readSubscribe(decodeJson(payload)));
        peer.subscriptions.set(channel.number, subscription);
        channel.subscribe(subscription);
        return peer.schedule(subscription, 0);
      }
      case FrameType.unsubscribe:
        return this.#unsubscribe(peer, channel);
      case FrameType.credit:
        return peer.subscriptions.get(channel.number)?.addCredit(readU32(payload));
      case FrameType.input:
        if (this.#drives(peer, channel, type)) this.#input(peer, channel, payload);
        return;
      case FrameType.answer:
        return channel.answer(readOffset(atLeast(payload, 8), 0), payload.subarray(8));
      case FrameType.resize: {
        const size = readU32(payload);
        const columns = size & 0xffff;
        const rows = size >>> 16;
        if (columns < 1 || rows < 1 || columns > sizeMax || rows > sizeMax) throw new BadFrame('No such size');
        if (this.#drives(peer, channel, type)) channel.resize(columns, rows);
        return;
      }
      case FrameType.signal: {
        const { requestId, signal, target } = readSignal(decodeJson(payload));
        if (channel.signal(signal, target)) return peer.sendJson(FrameType.ack, channel.number, { requestId });
        return peer.refuse(channel.number, { requestId, code: 'not-live', frame: type, message: 'Nothing runs there' });
      }
      case FrameType.retain:
        return channel.retain(readOffset(atLeast(payload, 8), 0));
      case FrameType.grant:
        return this.#grant(peer, channel, payload);
      case FrameType.revoke: {
        const { requestId, ticket } = readRevoke(decodeJson(payload));
        this.#revoke(channel.number, ticket);
        return peer.sendJson(FrameType.ack, channel.number, { requestId });
      }
      case FrameType.close:
        return this.#close(peer, channel, readClose(decodeJson(payload)).requestId);
      default:
        throw new BadFrame(`Type ${type} makes no sense here`);
    }
  }

  #greet(peer: Peer, header: FrameHeader, payload: Uint8Array): void {
    if (header.type !== FrameType.hello) throw new BadFrame('The first frame is no hello');
    const hello = readHello(decodeJson(payload));
    if (hello.protocol > holderProtocolVersion) {
      return peer.end({
        code: 'newer-protocol',
        message: `This holder (${this.#config.version}) speaks protocol ${holderProtocolVersion}, not ${hello.protocol}`,
      });
    }
    if (hello.protocol < 1) throw new BadFrame(`There is no protocol ${hello.protocol}`);
    const welcome = {
      protocol: hello.protocol,
      holder: this.#config.holder,
      pid: process.pid,
      version: this.#config.version,
    };
    if (hello.role === 'terminal') {
      const ticket = this.#tickets.find(hello.ticket);
      if (ticket === undefined) {
        return peer.end({ code: 'no-ticket', message: 'The daemon has granted no such ticket, or took it back' });
      }
      if (this.#terminals().length >= terminalsMax) {
        return peer.end({ code: 'full', message: `All ${terminalsMax} places for terminals are in use` });
      }
      peer.welcome(hello);
      return peer.sendJson(FrameType.welcome, 0, { ...welcome, ...ticket });
    }
    if (!this.#acceptsEpoch(peer, header.epoch)) return;
    peer.welcome(hello);
    peer.sendJson(FrameType.welcome, 0, welcome);
    this.#watchIdle();
  }

  /** A daemon below the highest epoch was replaced: it is told and let go, as are its screens. */
  #acceptsEpoch(peer: Peer, epoch: number): boolean {
    if (epoch < this.#epoch.highest) {
      peer.end(this.#stale(epoch));
      return false;
    }
    peer.epoch = epoch;
    if (epoch > this.#epoch.highest) {
      try {
        this.#epoch.raise(epoch);
      } catch (error) {
        this.#ports.log.warn('Cannot keep the epoch', { epoch, reason: (error as Error).message });
      }
      for (const other of this.#peers) {
        if (other.hello !== null && other.hello.role !== 'terminal' && other.epoch < epoch) {
          other.end(this.#stale(other.epoch));
        }
      }
    }
    return true;
  }

  #stale(epoch: number): HolderRefused {
    const { highest } = this.#epoch;
    return {
      code: 'stale-epoch',
      epoch: highest,
      message: `Another daemon took over with epoch ${highest}; ${epoch} no longer counts`,
    };
  }

  #start(peer: Peer, start: HolderStart): void {
    const { requestId } = start;
    const refuse = (refused: Omit<HolderRefused, 'requestId' | 'frame'>) =>
      peer.refuse(0, { requestId, frame: FrameType.start, ...refused });
    const found = this.#mayStart(start);
    if (found !== null) return refuse(found);
    let channel: Channel;
    try {
      const claimedBy = claimLogFolder(start);
      if (claimedBy !== null) return refuse({ code: 'duplicate', message: claimedBy });
      channel = this.#open(start);
    } catch (error) {
      releaseLogFolder(start.logDir);
      return refuse(diskRefusal(start, error as NodeJS.ErrnoException));
    }
    this.#channels.set(channel.number, channel);
    channel.startChild(this.#ports.startChild);
    const { pid, session, incarnation, name, logDir } = channel;
    if (pid !== null) {
      this.#ports.guard.watch(pid);
      this.#registration.started({ pid, session, incarnation, name, logDir });
    }
    peer.sendJson(FrameType.started, channel.number, { requestId, channel: channel.describe() });
    this.#watchIdle();
  }

  /** Why not, or null. */
  #mayStart(start: HolderStart): Omit<HolderRefused, 'requestId' | 'frame'> | null {
    const { session, incarnation, name } = start;
    const same = [...this.#channels.values()].filter((channel) => channel.session === session && channel.name === name);
    const known = same.find((channel) => channel.incarnation >= incarnation);
    if (known !== undefined) {
      const message = `"${name}" of session ${session} was started before as incarnation ${known.incarnation}`;
      return { code: 'duplicate', message, channel: known.describe() };
    }
    if (same.some((channel) => channel.exit === null)) {
      return { code: 'still-live', message: `An earlier "${name}" of session ${session} still runs` };
    }
    const sessions = new Set(this.#living().map((channel) => channel.session));
    if (!sessions.has(session) && sessions.size >= this.#config.sessionsMax) {
      return { code: 'full', message: `This holder has its ${this.#config.sessionsMax} sessions` };
    }
    if (this.#channels.size >= channelsMax) return { code: 'full', message: `This holder has ${channelsMax} channels` };
    return null;
  }

  #open(start: HolderStart): Channel {
    const number = this.#nextChannel();
    const channel = new Channel({
      number,
      start,
      segmentBytes: this.#config.segmentBytes,
      tick: this.#tick,
      now: this.#ports.now,
      onPause: (pause) => this.#announce(number, pause),
      onExit: (pid) => this.#childGone(pid),
      onSettled: () => {
        releaseLogFolder(start.logDir);
        this.#finishing.delete(channel);
        this.#watchIdle();
      },
      ...(this.#ports.files === undefined ? {} : { files: this.#ports.files }),
    });
    return channel;
  }

  #childGone(pid: number | null): void {
    if (pid !== null) {
      this.#ports.guard.forget(pid);
      this.#registration.gone(pid);
    }
    this.#watchIdle();
  }

  #close(peer: Peer, channel: Channel, requestId: number): void {
    if (channel.exit === null) {
      const message = 'The child still runs: signal it first';
      return peer.refuse(channel.number, { requestId, code: 'still-live', frame: FrameType.close, message });
    }
    for (const other of this.#peers) this.#unsubscribe(other, channel);
    for (const other of this.#terminals()) {
      if (this.#tickets.find(other.hello?.ticket)?.channel === channel.number) {
        other.end({ code: 'no-ticket', message: 'The session has ended' });
      }
    }
    this.#tickets.drop(channel.number);
    this.#channels.delete(channel.number);
    // Forgotten, but not before its log is complete, should the disk be full for days.
    if (!channel.isSettled) this.#finishing.add(channel);
    peer.sendJson(FrameType.ack, channel.number, { requestId });
  }

  #list(peer: Peer): void {
    const { holder, version, sessionsMax } = this.#config;
    const channels = [...this.#channels.values()].map((channel) => channel.describe());
    const epoch = this.#epoch.highest;
    peer.sendJson(FrameType.listed, 0, { holder, pid: process.pid, version, epoch, sessionsMax, channels });
  }

  #shutdown(peer: Peer): void {
    const living = this.#living().length;
    if (living === 0 && this.#isSettled()) return this.#done();
    const message = living > 0 ? `${living} children still run` : 'A log is not on disk yet';
    peer.refuse(0, { code: 'still-live', frame: FrameType.shutdown, message });
  }

  #grant(peer: Peer, channel: Channel, payload: Uint8Array): void {
    const { requestId, ticket, mode } = readGrant(decodeJson(payload));
    const isUsed = (known: string) => this.#terminals().some((terminal) => terminal.hello?.ticket === known);
    if (this.#tickets.grant(ticket, { channel: channel.number, mode }, isUsed)) {
      return peer.sendJson(FrameType.ack, channel.number, { requestId });
    }
    const message = 'All tickets of this holder are in use';
    peer.refuse(channel.number, { requestId, code: 'full', frame: FrameType.grant, message });
  }

  #revoke(channel: number, ticket: string | undefined): void {
    const changed = this.#tickets.revoke(channel, ticket);
    for (const terminal of this.#terminals()) {
      const change = changed.get(terminal.hello?.ticket ?? '');
      if (change === 'views') terminal.sendJson(FrameType.revoke, channel, {});
      if (change === 'ended') terminal.end({ code: 'no-ticket', message: 'The daemon took the ticket back' });
    }
  }

  #input(peer: Peer, channel: Channel, bytes: Uint8Array): void {
    const taken = channel.input(bytes);
    if (taken === 'taken') return;
    const message =
      taken === 'full' ? 'The program does not read what was typed before: nothing of this was typed' : 'It has ended';
    peer.refuse(channel.number, { code: taken, frame: FrameType.input, message });
  }

  /** Whether this peer may type and set the size; it is told when not. */
  #drives(peer: Peer, channel: Channel, type: number): boolean {
    if (peer.hello?.role !== 'terminal') return true;
    if (this.#tickets.find(peer.hello.ticket)?.mode === 'drive') return true;
    peer.refuse(channel.number, { code: 'not-driver', frame: type, message: 'This terminal only views' });
    return false;
  }

  #unsubscribe(peer: Peer, channel: Channel): void {
    const subscription = peer.subscriptions.get(channel.number);
    if (subscription === undefined) return;
    peer.subscriptions.delete(channel.number);
    channel.subscriptions.delete(subscription);
    subscription[Symbol.dispose]();
  }

  #announce(channel: number, pause: HolderPause | null): void {
    for (const peer of this.#peers) {
      if (peer.hello?.role !== 'daemon' && !peer.subscriptions.has(channel)) continue;
      if (pause === null) peer.send(FrameType.resumed, channel);
      else peer.sendJson(FrameType.paused, channel, pause);
    }
  }

  #living(): Channel[] {
    return [...this.#channels.values()].filter((channel) => channel.exit === null);
  }

  #isSettled(): boolean {
    return [...this.#channels.values(), ...this.#finishing].every((channel) => channel.isSettled);
  }

  #terminals(): Peer[] {
    return [...this.#peers].filter((peer) => peer.hello?.role === 'terminal');
  }

  /** Numbers are not used again before all others were, so that a late frame for a closed channel finds none. */
  #nextChannel(): number {
    do this.#lastChannel = (this.#lastChannel % 0xffff) + 1;
    while (this.#channels.has(this.#lastChannel));
    return this.#lastChannel;
  }

  #watchIdle(): void {
    const isNeeded =
      this.#isDone ||
      this.#living().length > 0 ||
      !this.#isSettled() ||
      [...this.#peers].some((peer) => peer.hello?.role === 'daemon' || peer.hello?.role === 'screen');
    if (isNeeded && this.#idle !== null) {
      clearTimeout(this.#idle);
      this.#idle = null;
    } else if (!isNeeded) this.#idle ??= setTimeout(() => this.#done(), this.#config.idleMs);
  }

  #done(): void {
    if (this.#isDone) return;
    this[Symbol.dispose]();
    this.#ports.onDone();
  }

  async #until(condition: () => boolean, withinMs: number): Promise<void> {
    const until = performance.now() + withinMs;
    while (!condition() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function readU32(payload: Uint8Array): number {
  if (payload.length !== 4) throw new BadFrame('The payload is not 4 bytes long');
  return new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0, true);
}

function atLeast(payload: Uint8Array, bytes: number): Uint8Array {
  if (payload.length < bytes) throw new BadFrame(`The payload is shorter than ${bytes} bytes`);
  return payload;
}

/** So that whoever asked about a channel that is gone can tell which of its requests was meant. */
function requestIdOf(type: number, payload: Uint8Array): { requestId?: number } {
  const asks = [FrameType.signal, FrameType.grant, FrameType.revoke, FrameType.close] as number[];
  return asks.includes(type) ? readClose(decodeJson(payload)) : {};
}

function diskRefusal(start: HolderStart, error: NodeJS.ErrnoException): Omit<HolderRefused, 'requestId' | 'frame'> {
  const isFull = error.code === 'ENOSPC' || error.code === 'EDQUOT';
  const reason = isFull ? 'the disk is full' : (error.code ?? error.message);
  return {
    code: isFull ? 'disk-full' : 'disk-error',
    message: `Cannot open the log "${start.logDir}": ${reason}; nothing was started, running sessions go on`,
  };
}
