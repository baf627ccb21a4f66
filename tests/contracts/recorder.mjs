// Stands between a provider's own client library and the twin: what passes is kept, so that it can be judged.
import { createServer, request as send } from 'node:http';

// The twin at `url` under another address. `exchanges`: {method, target, body, status, answer}, all texts but the
// status; not the twin's own paths, and not what got no whole answer.
export async function record(url) {
  const exchanges = [];
  const server = createServer((incoming, outgoing) => {
    const { method, url: target } = incoming;
    const lost = () => incoming.socket.destroy();
    whole(incoming, (body) => {
      const onward = send(url + target, { method, headers: incoming.headers }, (answer) => {
        answer.on('error', lost);
        whole(answer, (bytes) => {
          const { statusCode: status, headers } = answer;
          if (!target.startsWith('/_twin/')) exchanges.push({ method, target, body: `${body}`, status, answer: `${bytes}` });
          outgoing.writeHead(status, headers).end(bytes);
        });
      });
      onward.on('error', lost).end(body);
    });
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const close = () => { server.close(); server.closeAllConnections(); };
  return { url: `http://127.0.0.1:${server.address().port}`, exchanges, close };
}

function whole(stream, then) {
  const parts = [];
  stream.on('data', (part) => parts.push(part));
  stream.on('end', () => then(Buffer.concat(parts)));
}
