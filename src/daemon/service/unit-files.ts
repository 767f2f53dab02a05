/** Paths in unit files are quoted as each format wants. */
export interface ServicePaths {
  /** Runtime that runs the program; absolute. */
  node: string;
  /** The program's main file; absolute. */
  main: string;
  /** Set when the person uses a home of their own. */
  concertHome: string | null;
  log: string;
}

/**
 * A systemd user unit. `KillMode=process` is the point of it: stopping or updating the service ends the daemon alone and
 * leaves holders and agents running.
 */
export function systemdUnit(paths: ServicePaths): string {
  const environment =
    paths.concertHome === null ? '' : `Environment=${systemdQuoted(`CONCERT_HOME=${paths.concertHome}`)}\n`;
  return `[Unit]
Description=Concertmaster daemon
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
Type=exec
ExecStart=${systemdQuoted(paths.node)} ${systemdQuoted(paths.main)} daemon
${environment}Restart=on-failure
RestartSec=1
KillMode=process
OOMScoreAdjust=-100
Delegate=yes

[Install]
WantedBy=default.target
`;
}

/** A launchd agent for macOS. Untested: it has never run on a Mac. */
export function launchdPlist(paths: ServicePaths): string {
  const environment =
    paths.concertHome === null
      ? ''
      : `  <key>EnvironmentVariables</key>\n  <dict><key>CONCERT_HOME</key><string>${xmlEscaped(paths.concertHome)}</string></dict>\n`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key><string>dev.concertmaster.daemon</string>
  <key>ProgramArguments</key>
  <array>
    <string>${xmlEscaped(paths.node)}</string>
    <string>${xmlEscaped(paths.main)}</string>
    <string>daemon</string>
  </array>
${environment}  <key>RunAtLoad</key><true/>
  <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>
  <key>AbandonProcessGroup</key><true/>
  <key>StandardErrorPath</key><string>${xmlEscaped(paths.log)}</string>
</dict>
</plist>
`;
}

/** systemd reads C-like escapes and `%` specifiers inside double quotes. */
function systemdQuoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&').replaceAll('%', '%%').replaceAll('$', '$$$$').replaceAll('\n', '\\n')}"`;
}

function xmlEscaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
