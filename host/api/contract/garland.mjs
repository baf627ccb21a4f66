// A garlandd of a test, on a folder and a port of its own.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

export async function freePort() {
  const server = createServer();
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

// `settings`: further sections of garland.toml; `stop` ends it.
export async function startGarland(build, folder, port, settings) {
  const file = join(folder, 'garland.toml');
  writeFileSync(file, `[daemon]\nport = ${port}\ndata_dir = "${join(folder, 'data')}"\n${settings}`);
  const daemon = spawn(join(build, 'bin/garlandd'), ['--config', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  daemon.stderr.on('data', (text) => { log += text; });
  const ended = new Promise((done) => daemon.on('exit', done));
  const ready = (async () => {
    while (!log.includes('garlandd is ready')) await new Promise((next) => setTimeout(next, 50));
  })();
  await Promise.race([ready, ended]);
  assert.ok(log.includes('garlandd is ready'), `garlandd did not start: ${log}`);
  const stop = async () => { daemon.kill('SIGTERM'); await ended; };
  return { stop, log: () => log };
}
