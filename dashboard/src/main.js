import './style.css';
import { render } from 'preact';
import { effect } from '@preact/signals';
import { html, Button, Dialog, Icon, short } from './ui.js';
import { clock, dialog, isLive, link, look, nextTheme, notes, route, session, theme, totals } from './state.js';
import { findSession, listen, logOut, stopListening } from './api.js';
import { Login } from './views/login.js';
import { Overview } from './views/overview.js';
import { Queues } from './views/queues.js';
import { Jobs } from './views/jobs.js';
import { Job } from './views/job.js';
import { Errors } from './views/errors.js';
import { Schedules } from './views/schedules.js';
import { Workers } from './views/workers.js';
import { Fibers } from './views/fibers.js';

const views = [
  ['overview', 'Overview', Overview, 'o'],
  ['jobs', 'Jobs', Jobs, 'j'],
  ['errors', 'Errors', Errors, 'e'],
  ['queues', 'Queues', Queues, 'q'],
  ['schedules', 'Schedules', Schedules, 's'],
  ['workers', 'Workers', Workers, 'w'],
  ['fibers', 'Fibers', Fibers, 'f'],
];
const isThere = ([path]) => path !== 'fibers' || session.value?.has_fibers;

const keys = [
  ['g then o, j, e, q, s, w, f', 'Go to overview, jobs, errors, queues, schedules, workers, fibers'],
  ['/', 'Filter jobs by closure'],
  ['j, k', 'Next and previous job of a list'],
  ['Enter', 'Open the job'],
  ['r, c, d', 'Retry, cancel or delete the job that is open'],
  ['t', 'Light or dark'],
  ['?', 'This list'],
  ['Esc', 'Close what is open'],
];

function showKeys() {
  dialog.value = {
    title: 'Keys',
    body: (close) => html`<dl class="keys">${keys.map(([key, what]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${what}</dd></div>`)}</dl>
      <footer class="row end"><${Button} onClick=${close}>Close<//></footer>`,
  };
}

let pending = '';
addEventListener('keydown', (event) => {
  if (!session.value || event.ctrlKey || event.metaKey || event.altKey || dialog.value) return;
  if (event.target.closest('input,select,textarea')) {
    if (event.key === 'Escape') event.target.blur();
    return;
  }
  const goes = pending === 'g' && views.filter(isThere).find(([, , , key]) => key === event.key);
  pending = event.key === 'g' ? 'g' : '';
  if (goes) {
    location.hash = link(goes[0]);
    event.stopImmediatePropagation();
  } else if (event.key === '?') showKeys();
  else if (event.key === 't') nextTheme();
  else if (event.key === '/') {
    event.preventDefault();
    if (route.value.view !== 'jobs' || route.value.rest.length) location.hash = link('jobs');
    setTimeout(() => document.querySelector('input[name=closure]')?.focus(), 50);
  } else document.querySelector(`button[data-key="${CSS.escape(event.key)}"]`)?.click();
}, true);

function Nav() {
  const { view } = route.value;
  const sum = totals.value;
  const badge = { jobs: sum.ready + sum.running, errors: sum.dead + sum.quarantined, queues: look.value?.stats.queues.length, workers: look.value?.stats.workers.length };
  return html`<nav class="nav" aria-label="Views"><a class="brand" href=${link('overview')}><i></i>weft</a>
    <ul>${views.filter(isThere).map(([path, name, , key]) => html`<li><a href=${link(path)} aria-current=${view === path ? 'page' : undefined} title=${`g ${key}`}><${Icon} name=${path} /><span>${name}</span>${badge[path] > 0 && html`<b class=${path === 'errors' ? 'bad' : ''}>${short(badge[path])}</b>`}</a></li>`)}</ul>
    <div class="tools">
      <span class=${`live ${isLive.value ? 'on' : ''}`} role="status"><i></i><span>${isLive.value ? 'live' : 'connecting'}</span></span>
      <${Button} kind="quiet" icon=${theme.value === 'dark' ? 'sun' : 'moon'} aria-label=${theme.value === 'dark' ? 'Light' : 'Dark'} title="t" onClick=${nextTheme} />
      <${Button} kind="quiet" icon="keys" aria-label="Keys" title="?" onClick=${showKeys} />
      <${Button} kind="quiet" icon="out" aria-label="Log out" title="Log out" onClick=${logOut} />
    </div></nav>`;
}

function View() {
  const { view, rest } = route.value;
  if (view === 'jobs' && rest[0]) return html`<${Job} key=${rest[0]} id=${rest[0]} />`;
  const found = views.filter(isThere).find(([path]) => path === view);
  return found ? html`<${found[2]} />` : html`<h1>There is no such page</h1><p><a href=${link('overview')}>Overview</a></p>`;
}

function App() {
  if (session.value === undefined) return null;
  if (session.value === null) return html`<${Login} />`;
  const problem = look.value?.problem;
  return html`<div class="frame"><a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); document.getElementById('main').focus(); }}>To the page</a>
    <${Nav} /><main id="main" tabindex="-1">${problem && html`<p class="problem" role="alert">The database cannot be read now: ${problem}</p>`}
      ${session.value.role === 'viewer' && html`<p class="role">You may look, but not change anything.</p>`}<${View} /></main>
    <div class="notes" aria-live="polite">${notes.value.map((one) => html`<p key=${one.id} class=${`note ${one.kind}`}>${one.text}</p>`)}</div><${Dialog} /></div>`;
}

effect(() => {
  if (session.value) listen();
  else stopListening();
});
effect(() => {
  const { view, rest } = route.value;
  document.title = `${rest[0] ?? view} · weft`;
  scrollTo(0, 0);
});
clock.value = Date.now();
findSession();
render(html`<${App} />`, document.getElementById('app'));
