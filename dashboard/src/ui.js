// Small parts that views are made of. All text of jobs is put in as text: nothing here makes HTML of a string.
import { html } from 'htm/preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { clock, dialog, link, mayChange } from './state.js';

export { html };

export const states = ['ready', 'running', 'scheduled', 'blocked', 'done', 'dead', 'cancelled', 'quarantined'];

const paths = {
  overview: 'M2 9h3l2-5 3 8 2-3h2',
  queues: 'M2 4h12M2 8h12M2 12h8',
  jobs: 'M3 3h10v10H3zM3 6.5h10M6.5 6.5V13',
  errors: 'M8 2.5 14 13H2zM8 6.5v3M8 11.3v.2',
  schedules: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M8 5v3l2 1.5',
  workers: 'M3 4h10v6H3zM6 13h4M8 10v3',
  fibers: 'M2 4c4 0 4 8 12 8M2 8h12M2 12c4 0 4-8 12-8',
  retry: 'M13 8a5 5 0 1 1-1.6-3.7M13 2.5V5h-2.5',
  cancel: 'M4 4l8 8M12 4l-8 8',
  delete: 'M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5M7 7v3.5M9 7v3.5',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3.5v9l7-4.5z',
  copy: 'M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z',
  sun: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9',
  moon: 'M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z',
  keys: 'M1.5 4h13v8h-13zM4 6.5h.5M7 6.5h.5M10 6.5h.5M5 9.5h6',
  out: 'M9 3H3v10h6M7 8h7M11.5 5.5 14 8l-2.5 2.5',
  back: 'M10 3 5 8l5 5',
  link: 'M6 10l4-4M5 7 3.5 8.5a2.1 2.1 0 0 0 3 3L8 10M11 9l1.5-1.5a2.1 2.1 0 0 0-3-3L8 6',
};
export const Icon = ({ name }) =>
  html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=${paths[name]} /></svg>`;

export const State = ({ of }) => html`<span class=${`state is-${of}`}><i></i>${of}</span>`;

export function age(millis) {
  const seconds = Math.floor(Math.abs(millis) / 1000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h ${Math.floor((seconds % 3600) / 60)}m`;
  return `${Math.floor(seconds / 86400)}d ${Math.floor((seconds % 86400) / 3600)}h`;
}

/// A moment, as its distance from now.
export function Ago({ at }) {
  if (!at) return html`<span class="muted">–</span>`;
  const left = Date.parse(at) - clock.value;
  const text = left > 1000 ? `in ${age(left)}` : left > -1000 ? 'now' : `${age(left)} ago`;
  return html`<time datetime=${at} title=${new Date(at).toLocaleString()}>${text}</time>`;
}

export const full = (at) => new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

export function span(millis) {
  if (millis === null || millis === undefined) return '–';
  if (millis === 0) return '0';
  if (millis < 1) return `${Math.round(millis * 1000)} µs`;
  if (millis < 10) return `${millis.toFixed(1)} ms`;
  if (millis < 1000) return `${Math.round(millis)} ms`;
  if (millis < 60000) return `${(millis / 1000).toFixed(millis < 10000 ? 2 : 1)} s`;
  return age(millis);
}

/// Milliseconds between two moments, which have microseconds.
export function between(from, to) {
  const micros = (at) => Date.parse(`${at.slice(0, 19)}Z`) * 1000 + Number(at.slice(20, 26));
  return (micros(to) - micros(from)) / 1000;
}

export const cut = (text, most) => (text.length > most ? `${text.slice(0, most)}…` : text);

export const count = (number) => number.toLocaleString('en-US');
export const counted = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;
export const short = (number) =>
  number < 10000 ? count(number)
    : number < 1e6 ? `${(number / 1e3).toFixed(number < 1e5 ? 1 : 0)}k` : `${(number / 1e6).toFixed(1)}M`;

/// "mail.send" of "mail.send(std::string)".
export const baseName = (closure) => closure.split('(')[0] || closure;

export function Button({ icon, children, kind = '', ...rest }) {
  return html`<button type="button" class=${`button ${kind}`} ...${rest}>${icon && html`<${Icon} name=${icon} />`}${children && html`<span>${children}</span>`}</button>`;
}

/// A button that only operators see, and that waits for what it began.
export function Action({ act, ...rest }) {
  const [busy, setBusy] = useState(false);
  if (!mayChange.value) return null;
  const click = async (event) => {
    event.preventDefault();
    event.stopPropagation();
    setBusy(true);
    try { await act(); } finally { setBusy(false); }
  };
  return html`<${Button} disabled=${busy} aria-busy=${busy} onClick=${click} ...${rest} />`;
}

export const Empty = ({ title, children }) => html`<div class="empty"><strong>${title}</strong><p>${children}</p></div>`;

/// Loads again whenever `what` changes, and every `every` milliseconds.
export function useLoaded(load, what, every = 0) {
  const [loaded, setLoaded] = useState({ value: null, error: null, of: undefined });
  const again = useRef(() => {});
  useEffect(() => {
    const stop = new AbortController();
    let timer = 0;
    const run = async () => {
      clearTimeout(timer);
      try {
        const value = await load(stop.signal);
        if (!stop.signal.aborted) setLoaded({ value, error: null, of: what });
      } catch (failed) {
        if (!stop.signal.aborted) setLoaded((before) => ({ ...before, error: failed }));
      }
      if (every && !stop.signal.aborted) timer = setTimeout(run, document.hidden ? every * 5 : every);
    };
    again.current = run;
    run();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [what]);
  return { ...loaded, isOld: loaded.of !== what, again: () => again.current() };
}

export const Problem = ({ of }) => of ? html`<p class="problem" role="alert">${of.message ?? String(of)}</p>` : null;

/// A dialog above the page; Escape and its buttons close it.
export function Dialog() {
  const one = dialog.value;
  const box = useRef(null);
  useEffect(() => {
    if (one && box.current && !box.current.open) box.current.showModal();
  }, [one]);
  if (!one) return null;
  const close = () => { dialog.value = null; };
  return html`<dialog ref=${box} class="dialog" aria-labelledby="dialog-title" onClose=${close}
      onClick=${(event) => { if (event.target === box.current) close(); }}>
    <div class="dialog-body"><h2 id="dialog-title">${one.title}</h2>${one.body(close)}</div></dialog>`;
}

const nestedMax = 40;
const linesMax = 400;

function lines(value, indent, name, comma, out) {
  if (out.length >= linesMax) return;
  const pad = '  '.repeat(indent);
  const label = name === undefined ? '' : html`<span class="j-name">${JSON.stringify(name)}</span>: `;
  const isList = Array.isArray(value);
  if (value !== null && typeof value === 'object' && indent < nestedMax) {
    const items = isList ? value.map((item) => [undefined, item]) : Object.entries(value);
    const [open, end] = isList ? ['[', ']'] : ['{', '}'];
    if (items.length === 0) {
      out.push(html`${pad}${label}${open + end + comma}${'\n'}`);
      return;
    }
    out.push(html`${pad}${label}${open}${'\n'}`);
    items.forEach(([key, item], i) => lines(item, indent + 1, key, i + 1 < items.length ? ',' : '', out));
    out.push(html`${pad}${end + comma}${'\n'}`);
    return;
  }
  const kind = value === null ? 'null' : typeof value;
  out.push(html`${pad}${label}<span class=${`j-${kind}`}>${JSON.stringify(value)}</span>${comma}${'\n'}`);
}

/// JSON as people read it.
export function Json({ value, label }) {
  const out = [];
  lines(value, 0, undefined, '', out);
  const isCut = out.length >= linesMax;
  return html`<pre class="json" tabindex="0" role="region" aria-label=${label}>${out}${isCut ? '…' : ''}</pre>`;
}

/// One line of JSON, for lists.
export function preview(value, most = 120) {
  if (value === null || value === undefined) return '';
  const text = Array.isArray(value) ? value.map((one) => JSON.stringify(one)).join(', ') : JSON.stringify(value);
  return cut(text, most);
}

export function copied(text) {
  return navigator.clipboard?.writeText(text);
}

export const JobLink = ({ id, children }) => html`<a href=${link(`jobs/${id}`)}>${children ?? id}</a>`;
