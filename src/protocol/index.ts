/**
 * All that crosses a process boundary: ids, states, documents, error codes, the holder's wire.
 * Must never import anything but `base` and zod, nor hold behaviour beyond encoding.
 */

export * from './config.ts';
export * from './documents.ts';
export * from './error-codes.ts';
export * from './holder-wire.ts';
export * from './home.ts';
export * from './ids.ts';
export * from './requests.ts';
export * from './state-shapes.ts';
export * from './states.ts';
