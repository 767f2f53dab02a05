import { expect, test } from 'vitest';
import { launchdPlist, systemdUnit } from './unit-files.ts';

const paths = { node: '/opt/my node/bin/node', main: '/opt/100%/main.js', concertHome: '/home/a "b"', log: '/tmp/log' };

test('the unit ends the daemon alone and quotes what systemd would read otherwise', () => {
  expect(systemdUnit(paths)).toBe(`[Unit]
Description=Concertmaster daemon
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
Type=exec
ExecStart="/opt/my node/bin/node" "/opt/100%%/main.js" daemon
Environment="CONCERT_HOME=/home/a \\"b\\""
Restart=on-failure
RestartSec=1
KillMode=process
OOMScoreAdjust=-100
Delegate=yes

[Install]
WantedBy=default.target
`);
});

test('a line break in a path cannot add a setting', () => {
  const unit = systemdUnit({ ...paths, main: '/x\nExecStartPost=/bin/evil', concertHome: null });
  expect(unit.split('\n').filter((line) => line.startsWith('ExecStart'))).toEqual([
    'ExecStart="/opt/my node/bin/node" "/x\\nExecStartPost=/bin/evil" daemon',
  ]);
});

test('the launchd file escapes its XML', () => {
  const plist = launchdPlist({ ...paths, main: '/a&b/<main>.js' });
  expect(plist).toContain('<string>/a&amp;b/&lt;main&gt;.js</string>');
  expect(plist).toContain('<key>AbandonProcessGroup</key><true/>');
});
