if (process.argv[2] === 'daemon') {
  const { runDaemon } = await import('./daemon/index.ts');
  process.exitCode = await runDaemon(process.env);
  process.exit();
}
