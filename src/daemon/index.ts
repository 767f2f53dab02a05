/**
 * The daemon: the one place that knows every part and wires them, from start-up to shutdown.
 * Must never decide anything about the fleet: that is `fleet/`.
 */
export { EventLoop, type EventLoopOptions } from './event-loop.ts';
export { Publisher } from './publisher.ts';
export { repairHome } from './repair-home.ts';
export { runDaemon } from './run-daemon.ts';
export { runService } from './service/run-service.ts';
export { steadyClock } from './steady-clock.ts';
