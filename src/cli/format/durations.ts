const units = [
  { short: 'd', long: 'd', ms: 86_400_000 },
  { short: 'h', long: 'h', ms: 3_600_000 },
  { short: 'm', long: 'min', ms: 60_000 },
  { short: 's', long: 's', ms: 1_000 },
] as const;

/** For columns: `45s`, `6m`, `2h`. The largest whole unit; what is over is left out. */
export function shortDuration(ms: number): string {
  const { count, unit } = largest(ms);
  return `${count}${unit.short}`;
}

/** For sentences: `45 s`, `6 min`, `2 h`. */
export function longDuration(ms: number): string {
  const { count, unit } = largest(ms);
  return `${count} ${unit.long}`;
}

function largest(ms: number): { count: number; unit: (typeof units)[number] } {
  const unit = units.find((candidate) => ms >= candidate.ms) ?? units[3];
  return { count: Math.max(0, Math.floor(ms / unit.ms)), unit };
}

/** `90s`, `20m`, `1h`, `2d`, `500ms` or plain seconds, in ms; null for anything else. */
export function parseDuration(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|min|h|d)?$/.exec(text.trim());
  if (match === null) return null;
  const factor = { ms: 1, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] ?? 's'];
  return factor === undefined ? null : Number(match[1]) * factor;
}

/** Local time of day, with the date when it is not today. */
export function localTime(iso: string, now: number): string {
  const at = new Date(iso);
  const today = new Date(now);
  const two = (value: number) => String(value).padStart(2, '0');
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (at.toDateString() === today.toDateString()) return time;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}
