import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { html, Action, Ago, Button, Empty, Problem, State, baseName, counted, preview, short, states, useLoaded } from '../ui.js';
import { link, look, route, totals } from '../state.js';
import { get } from '../api.js';
import { askForMany } from '../bulk.js';

const spans = [['', 'any time'], ['900', 'last 15 minutes'], ['3600', 'last hour'], ['86400', 'last day'], ['604800', 'last week']];
const patience = 400; // calls of one search; each looks at some thousand jobs
const wanted = 50;

/// The query of the API that the page's query means.
function filterText(query) {
  const set = new URLSearchParams();
  for (const name of ['state', 'queue', 'tag', 'closure', 'error', 'group']) if (query[name]) set.set(name, query[name]);
  if (query.within) set.set('from', String(Date.now() - Number(query.within) * 1000));
  return set.toString();
}

/// The filter in words.
function said(query, states) {
  const parts = [query.state ?? states];
  if (query.queue) parts.push(`in queue “${query.queue}”`);
  if (query.tag) parts.push(`with tag “${query.tag}”`);
  if (query.closure) parts.push(`whose closure has “${query.closure}”`);
  if (query.error) parts.push(`whose error has “${query.error}”`);
  if (query.group) parts.push('of that group of errors');
  if (query.within) parts.push(`pushed in the ${spans.find(([value]) => value === query.within)?.[1] ?? 'time chosen'}`);
  return parts.join(', ');
}

/// A page of jobs; where the store has to look job by job, as many answers as it takes.
async function search(filter, before, signal, onProgress) {
  const found = { jobs: [], next: null, looked: 0, backTo: null };
  let at = before;
  for (let i = 0; i < patience; ++i) {
    const page = await get(`jobs?${filter}${at ? `&before=${at}` : ''}&limit=${wanted - found.jobs.length}`, signal);
    found.jobs.push(...page.jobs);
    found.looked += page.looked_at;
    found.next = page.next;
    found.backTo = page.back_to;
    at = page.next;
    if (!at || found.jobs.length >= wanted || signal.aborted) break;
    onProgress({ ...found, jobs: [...found.jobs] });
  }
  return found;
}

function Field({ label, name, type = 'search', children }) {
  const query = route.value.query;
  const [text, setText] = useState(query[name] ?? '');
  const timer = useRef(0);
  useEffect(() => { setText(query[name] ?? ''); }, [query[name]]);
  const set = (value) => { location.hash = link('jobs', { ...route.value.query, [name]: value }); };
  const input = (event) => {
    const { value } = event.target;
    setText(value);
    clearTimeout(timer.current);
    if (children) set(value);
    else timer.current = setTimeout(() => set(value), 350);
  };
  return html`<label class="field"><span>${label}</span>${children
    ? html`<select name=${name} value=${text} onChange=${input}>${children}</select>`
    : html`<input name=${name} type=${type} value=${text} onInput=${input} spellcheck=${false} autocomplete="off" />`}</label>`;
}

function Filters() {
  const { query } = route.value;
  const sum = totals.value;
  const hasOthers = query.queue || query.tag || query.closure || query.error || query.group || query.within;
  const queues = look.value?.stats.queues ?? [];
  const tabs = [['', 'all'], ...states.map((state) => [state, state])];
  return html`<div class="filters" role="search" aria-label="Filter jobs">
    <nav class="tabs" aria-label="States">${tabs.map(([state, name]) => html`<a href=${link('jobs', { ...query, state })} aria-current=${(query.state ?? '') === state ? 'true' : undefined} class=${state && `is-${state}`}>
      ${state && html`<i></i>`}${name}${state && !hasOthers && html`<b>${short(sum[state])}</b>`}</a>`)}</nav>
    <div class="fields">
      <${Field} label="Closure" name="closure" />
      <${Field} label="Error" name="error" />
      <${Field} label="Tag" name="tag" />
      <${Field} label="Queue" name="queue"><option value="">all</option>${queues.map((one) => html`<option value=${one.queue}>${one.queue}</option>`)}
        ${query.queue && !queues.some((one) => one.queue === query.queue) && html`<option value=${query.queue}>${query.queue}</option>`}<//>
      <${Field} label="Pushed" name="within">${spans.map(([value, name]) => html`<option value=${value}>${name}</option>`)}<//>
      ${query.group && html`<a class="chip" href=${link('jobs', { ...query, group: '' })} title="Show all jobs again">one group of errors ×</a>`}
      ${(hasOthers || query.state) && html`<a class="button quiet" href=${link('jobs')}>Clear</a>`}
    </div></div>`;
}

const Row = ({ job, isChosen }) => html`<tr class=${isChosen ? 'chosen' : ''} onClick=${(event) => { if (!event.target.closest('a,button') && !getSelection().toString()) location.hash = link(`jobs/${job.id}`); }}>
  <td><${State} of=${job.state} />${job.cancel_requested && html`<span class="chip warn">asked to end</span>`}</td>
  <th scope="row" class="main"><a class="name" href=${link(`jobs/${job.id}`)}>${baseName(job.closure)}</a>
    <span class="arguments">${preview(job.arguments)}</span>${job.problem && html`<span class="chip bad" title=${job.problem}>not trusted</span>`}</th>
  <td>${job.queue}</td>
  <td class="tags">${job.tags.slice(0, 3).map((tag) => html`<a class="chip" href=${link('jobs', { tag })}>${tag}</a>`)}${job.tags.length > 3 && html`<span class="muted">+${job.tags.length - 3}</span>`}</td>
  <td class="number">${job.attempts > 0 ? html`<span class="failed">${job.attempts}${job.attempts_max ? `/${job.attempts_max}` : ''}</span>` : html`<span class="muted">–</span>`}</td>
  <td class="when"><${Ago} at=${job.finished ?? job.run_at ?? job.created} /></td>
  <td class="when"><${Ago} at=${job.created} /></td></tr>`;

export function Jobs() {
  const { query } = route.value;
  const key = JSON.stringify(query);
  const [more, setMore] = useState({ of: key, pages: [] });
  const [progress, setProgress] = useState(null);
  const [chosen, setChosen] = useState(-1);
  const at = useRef(-1); // as `chosen`, for a key that comes before the next render
  const choose = (place) => { at.current = place; setChosen(place); };
  const list = useRef(null);
  const pages = more.of === key ? more.pages : [];
  const filter = useMemo(() => filterText(query), [key]);
  const first = useLoaded(async (signal) => {
    const found = await search(filter, null, signal, (so_far) => setProgress(so_far));
    setProgress(null);
    return found;
  }, key, query.closure || query.error || query.group ? 0 : 4000);
  useEffect(() => { setProgress(null); choose(-1); }, [key]);
  const value = first.isOld ? progress : first.value;
  const jobs = [...(value?.jobs ?? []), ...pages.flatMap((page) => page.jobs)];
  const shown = useRef([]); // as `jobs`, for the same reason
  shown.current = jobs;
  const next = pages.length > 0 ? pages.at(-1).next : value?.next;
  const load = async () => {
    const page = await search(filter, next, new AbortController().signal, () => {});
    setMore((before) => ({ of: key, pages: [...(before.of === key ? before.pages : []), page] }));
  };
  useEffect(() => {
    const onKey = (event) => {
      if (event.target.closest('input,select,textarea,dialog') || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === 'j') choose(Math.min(at.current + 1, shown.current.length - 1));
      if (event.key === 'k') choose(Math.max(at.current - 1, 0));
      if (event.key === 'Enter' && shown.current[at.current] && !event.target.closest('a,button')) location.hash = link(`jobs/${shown.current[at.current].id}`);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });
  useEffect(() => { list.current?.querySelector('.chosen')?.scrollIntoView({ block: 'nearest' }); }, [chosen]);
  const isSearching = first.isOld && !first.error;
  return html`<header class="head"><h1>Jobs</h1><div class="row">
      <${Action} icon="retry" title="Counts first" act=${async () => askForMany('retry', filterText(query), said(query, 'dead'), first.again)}>Retry all…<//>
      <${Action} icon="cancel" title="Counts first" act=${async () => askForMany('cancel', filterText(query), said(query, 'waiting or running'), first.again)}>Cancel all…<//>
      <${Action} icon="delete" title="Counts first" act=${async () => askForMany('delete', filterText(query), said(query, 'done, dead or cancelled'), first.again)}>Delete all…<//></div></header>
    <${Filters} /><${Problem} of=${first.error} />
    ${isSearching && html`<p class="loading" role="status">${progress ? `Looked at ${counted(progress.looked, 'job')}${progress.backTo ? `, back to ${new Date(progress.backTo).toLocaleString()}` : ''}…` : 'Loading…'}</p>`}
    <section class="card" ref=${list}>
    ${jobs.length > 0 && html`<div class="scroll"><table class="table rows">
      <thead><tr><th scope="col">State</th><th scope="col">Closure and arguments</th><th scope="col">Queue</th><th scope="col">Tags</th><th scope="col" class="number">Failed</th><th scope="col" class="when">When</th><th scope="col" class="when">Pushed</th></tr></thead>
      <tbody>${jobs.map((job, i) => html`<${Row} key=${job.id} job=${job} isChosen=${i === chosen} />`)}</tbody></table></div>`}
    ${jobs.length === 0 && !isSearching && !first.error && html`<${Empty} title="No jobs here">${next ? 'None of those that were looked at fits.' : 'Nothing fits this filter.'}<//>`}
    ${next && !isSearching && html`<footer class="row center"><${Button} onClick=${load}>Older jobs<//></footer>`}</section>`;
}
