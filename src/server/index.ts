/**
 * The HTTP and WebSocket edge: parse, authorize, translate, push back.
 * Must never decide anything about sessions; it asks its ports.
 */
export type * from './ports.ts';
export { serve } from './server.ts';
