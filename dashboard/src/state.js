// What all views share: the session, the route, the newest look at the store, messages, the theme.
import { signal, computed, effect } from '@preact/signals';

export const session = signal(undefined); // undefined: not known yet, null: nobody has logged in
export const look = signal(null);         // the newest answer of api/overview
export const samples = signal([]);
export const isLive = signal(false);      // events come
export const notes = signal([]);          // messages that go away by themselves
export const dialog = signal(null);       // what stands above the page
export const clock = signal(Date.now());  // ticks, for ages

export const mayChange = computed(() => session.value?.role === 'operator');

export const totals = computed(() => {
  const sum = { scheduled: 0, ready: 0, blocked: 0, running: 0, done: 0, dead: 0, cancelled: 0, quarantined: 0 };
  for (const queue of look.value?.stats.queues ?? [])
    for (const state of Object.keys(sum)) sum[state] += queue[state];
  return sum;
});

function parsedRoute() {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const parts = path.split('/').filter(Boolean).map((part) => {
    try { return decodeURIComponent(part); } catch { return part; }
  });
  return { view: parts[0] ?? 'overview', rest: parts.slice(1), query: Object.fromEntries(new URLSearchParams(query)) };
}
export const route = signal(parsedRoute());
addEventListener('hashchange', () => {
  route.value = parsedRoute();
});

/// "#/jobs?state=dead"; what is empty is left out.
export function link(path, query = {}) {
  const set = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const text = new URLSearchParams(set).toString();
  return `#/${path}${text ? `?${text}` : ''}`;
}

export function note(text, kind = 'good') {
  const one = { text, kind, id: Math.random() };
  notes.value = [...notes.value, one];
  setTimeout(() => { notes.value = notes.value.filter((other) => other !== one); }, kind === 'bad' ? 9000 : 4500);
}

const kept = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
const dark = matchMedia('(prefers-color-scheme: dark)');
const systemDark = signal(dark.matches);
dark.addEventListener('change', () => { systemDark.value = dark.matches; });
export const themeChoice = signal(kept('weft-theme') ?? 'system');
export const theme = computed(() =>
  themeChoice.value === 'system' ? (systemDark.value ? 'dark' : 'light') : themeChoice.value);
effect(() => {
  document.documentElement.dataset.theme = theme.value;
  try { localStorage.setItem('weft-theme', themeChoice.value); } catch { /* not kept then */ }
});
export function nextTheme() {
  themeChoice.value = theme.value === 'dark' ? 'light' : 'dark';
}

setInterval(() => { clock.value = Date.now(); }, 1000);
