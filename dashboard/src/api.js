// The JSON API, and the events that keep the page up to date.
import { session, look, samples, isLive, note } from './state.js';

const samplesMax = 450;

export class refused extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(`api/${path}`, { credentials: 'same-origin', ...options });
  } catch (lost) {
    if (lost.name === 'AbortError') throw lost;
    throw new refused(0, 'The dashboard does not answer.');
  }
  if (answer.status === 401 && path !== 'session') session.value = null;
  const text = await answer.text();
  if (!answer.ok) throw new refused(answer.status, text.trim() || `It was answered with ${answer.status}.`);
  if (options.isText) return text;
  return text ? JSON.parse(text) : null;
}

export const get = (path, signal) => ask(path, { signal });

export const getText = (path) => ask(path, { isText: true });

export const change = (path, body = {}) => ask(path, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json', 'X-Weft-Csrf': session.value?.csrf ?? '' },
  body: JSON.stringify(body),
});

/// As change(), with a message about what came of it. True: it was done.
export async function tried(path, body, done) {
  try {
    const answer = await change(path, body);
    if (answer && answer.changed === false) {
      note(`Left as it is: ${answer.why}`, 'bad');
      return false;
    }
    note(typeof done === 'function' ? done(answer) : done);
    return true;
  } catch (failed) {
    note(failed.message, 'bad');
    return false;
  }
}

export async function findSession() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token) {
    history.replaceState(null, '', `${location.pathname}#/overview`); // not kept in the history
    dispatchEvent(new HashChangeEvent('hashchange'));
    try {
      await logIn(token);
      return;
    } catch { /* maybe there is a session */ }
  }
  try {
    session.value = await get('session');
  } catch (none) {
    session.value = null;
  }
}

export async function logIn(token) {
  session.value = await ask('session', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token }),
  });
}

export async function logOut() {
  await ask('session', { method: 'DELETE' }).catch(() => {});
  session.value = null;
}

function take(one) {
  const fresh = one.samples.filter((sample) => !(sample.at <= samples.value.at(-1)?.at));
  if (fresh.length > 0) samples.value = [...samples.value, ...fresh].slice(-samplesMax);
  look.value = { ...one, samples: undefined };
}

let source = null;
/// Listens as long as somebody has logged in.
export function listen() {
  stopListening();
  const after = samples.peek().at(-1)?.at ?? 0; // without a subscription: each sample would connect anew
  source = new EventSource(`api/live?after=${after}`);
  source.addEventListener('look', (event) => {
    isLive.value = true;
    take(JSON.parse(event.data));
  });
  source.addEventListener('over', () => { session.value = null; });
  source.onerror = () => {
    isLive.value = false;
    if (source?.readyState === EventSource.CLOSED) setTimeout(() => { if (session.value) listen(); }, 5000);
  };
}
export function stopListening() {
  source?.close();
  source = null;
  isLive.value = false;
}
