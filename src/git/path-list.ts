/** Paths as git lists and takes them with `-z`: bytes, each ended by NUL, since a file name need not be UTF-8. */
export function splitPaths(list: Buffer): Buffer[] {
  const paths: Buffer[] = [];
  let start = 0;
  for (let end = list.indexOf(0); end !== -1; end = list.indexOf(0, start)) {
    paths.push(list.subarray(start, end));
    start = end + 1;
  }
  return paths;
}

/** A repository inside another: git lists it as one path with a slash at the end. */
export function isFolderPath(path: Buffer): boolean {
  return path.at(-1) === slash;
}

const slash = 0x2f;
