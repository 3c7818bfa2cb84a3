import { useState } from 'preact/hooks';
import { html, Action, Ago, Button, Icon, JobLink, Json, Problem, State, baseName, between, copied, count, cut, full, span, useLoaded } from '../ui.js';
import { link, note, session } from '../state.js';
import { get, tried } from '../api.js';
import { askToDelete } from '../bulk.js';

const levels = [[10, 'error'], [20, 'warn'], [30, 'info'], [40, 'debug']];
const levelOf = (number) => levels.find(([most]) => number <= most)?.[1] ?? 'trace';

const longest = 1500; // of a message that is shown at once
const toldElsewhere = ['weft.job', 'weft.attempt'];

const Fact = ({ name, children }) => html`<div><dt>${name}</dt><dd>${children}</dd></div>`;

function ErrorChain({ of, isCause }) {
  return html`<div class=${isCause ? 'cause' : 'error'}>
    <p class="error-text">${isCause && html`<span class="muted">caused by </span>`}<b>${of.type && of.type !== 'weft.error' ? `${of.type}: ` : ''}</b><span>${cut(of.message, longest)}</span>${of.code !== 'unknown' && html` <span class="chip">${of.code}</span>`}</p>
    ${of.message.length > longest && html`<details><summary>All of it</summary><pre tabindex="0" role="region" aria-label="The whole message">${of.message}</pre></details>`}
    ${of.where && html`<details open=${!isCause && of.where.length < 400}><summary>Where</summary><pre tabindex="0" role="region" aria-label="Where it was thrown">${of.where}</pre></details>`}
    ${of.causes.map((cause) => html`<${ErrorChain} of=${cause} isCause />`)}</div>`;
}

/// Records and timers on one line of time.
function Log({ log }) {
  const end = log.end || 0;
  const entries = [
    ...(log.logs ?? []).map(([at, level, ...rest]) => ({ at, level, message: typeof rest[0] === 'string' ? rest[0] : '', more: rest.find((one) => one && typeof one === 'object') })),
    ...(log.timers ?? []).map(([name, from, to]) => ({ at: from, timer: name, to: to ?? end })),
  ].sort((a, b) => a.at - b.at);
  if (entries.length === 0 && !log.data) return null;
  const long = Math.max(end, ...entries.map((one) => one.to ?? one.at), 0.000001);
  const share = (at) => `${Math.max(0, Math.min(100, (100 * at) / long))}%`;
  return html`<div class="log" role="region" aria-label="Log" tabindex="0">${entries.map((one) => html`<div class=${`line ${one.timer ? 'timer' : `level-${levelOf(one.level)}`}`}>
      <span class="at">+${span(one.at * 1000)}</span>
      <span class="what">${one.timer ? html`<b>${one.timer}</b> <span class="muted">${span((one.to - one.at) * 1000)}</span>` : html`<span class="level">${levelOf(one.level)}</span> ${one.message}${one.more && html` <code>${Object.entries(one.more).filter(([name]) => !toldElsewhere.includes(name)).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`).join(' ')}</code>`}`}</span>
      <span class="lane" aria-hidden="true"><i class=${one.timer ? 'bar' : 'dot'} style=${one.timer ? { left: share(one.at), width: share(one.to - one.at) } : { left: share(one.at) }}></i></span></div>`)}
    ${log.data && html`<details><summary>Data</summary><${Json} value=${log.data} label="Data of the log" /></details>`}</div>`;
}

const Attempt = ({ of }) => html`<li class=${`attempt is-${of.outcome}`}>
  <header><i class="node"></i><h3>Attempt ${of.attempt} <span class="outcome">${of.outcome}</span></h3>
    <span class="muted">${full(of.started)} · ${span(between(of.started, of.ended))} · worker <code>${of.owner.slice(-6)}</code></span></header>
  ${of.error && html`<${ErrorChain} of=${of.error} />`}${of.log && html`<${Log} log=${of.log} />`}</li>`;

const Event = ({ at, name, kind = '', children }) => html`<li class=${`attempt event ${kind}`}><header><i class="node"></i><h3>${name}</h3><span class="muted">${at && full(at)} ${children}</span></header></li>`;

function Progress({ of }) {
  const share = of.total > 0 ? Math.min(100, (100 * of.done) / of.total) : 0;
  return html`<div class="card pad"><div class="row"><b>${of.total > 0 ? `${of.done} of ${of.total}` : of.done}</b><span class="muted">${of.note}</span></div>
    ${of.total > 0 && html`<div class="progress" role="progressbar" aria-label="Progress" aria-valuemin="0" aria-valuemax=${of.total} aria-valuenow=${of.done}><i style=${{ width: `${share}%` }}></i></div>`}</div>`;
}

/// The trace that it was pushed in, by the address that whoever runs the dashboard gave.
function Trace({ trace, part }) {
  const url = session.value?.trace_url;
  const at = url && url.replaceAll('{trace_id}', encodeURIComponent(trace)).replaceAll('{span_id}', encodeURIComponent(part ?? ''));
  return at ? html`<a href=${at} target="_blank" rel="noopener noreferrer"><code class="wrap">${trace}</code></a>` : html`<code class="wrap">${trace}</code>`;
}

const Context = ({ of }) => html`<section class="card pad"><h2>Context</h2><dl class="facts named">${of.map(({ name, value }) => html`<${Fact} name=${name}>${value === null
  ? html`<span class="muted" title="It may be a secret: the dashboard does not know its key, or it is not to be printed">hidden</span>` : html`<code class="wrap">${cut(value, 2000)}</code>`}<//>`)}</dl></section>`;

/// The first ones come with the job; the others when somebody asks for them.
function Steps({ id, of, total }) {
  const [more, setMore] = useState([]);
  const steps = [...of, ...more];
  const load = async () => {
    try {
      const page = await get(`jobs/${encodeURIComponent(id)}/steps?skip=${steps.length}`);
      setMore([...more, ...page.steps]);
    } catch (failed) { note(failed.message, 'bad'); }
  };
  return html`<section class="card pad" aria-labelledby="steps"><h2 id="steps">Steps</h2><ul class="steps">${steps.map((one) => html`<li><b>${one.name || '?'}</b> ${one.problem
    ? html`<span class="problem">${one.problem}</span>` : html`<code class="wrap">${cut(JSON.stringify(one.result), 300)}</code>`}</li>`)}</ul>
    ${total > steps.length && html`<footer class="row"><p class="muted">The first ${count(steps.length)} of ${count(total)} are shown.</p><${Button} onClick=${load}>More steps<//></footer>`}</section>`;
}

export function Job({ id }) {
  const { value, error, again } = useLoaded((signal) => get(`jobs/${encodeURIComponent(id)}`, signal), id, 2000);
  if (!value || value.job.id !== id) return error ? html`<h1>Job</h1><${Problem} of=${error} />` : html`<h1>Job</h1><p class="loading">Loading…</p>`;
  const { job } = value;
  const mayRetry = ['dead', 'cancelled', 'quarantined'].includes(job.state);
  const mayCancel = ['ready', 'scheduled', 'blocked', 'running'].includes(job.state);
  const remove = () => tried(`jobs/${id}/delete`, { state: job.state }, 'It is deleted').then((done) => { if (done) location.hash = link('jobs'); });
  const act = (action, done) => tried(`jobs/${id}/${action}`, {}, done).then(again);
  return html`<p class="crumbs"><a href=${link('jobs')}><${Icon} name="back" />Jobs</a></p>
    <header class="head"><div><h1 class="closure">${baseName(job.closure)}</h1>
      <p class="row tight"><${State} of=${job.state} />${job.cancel_requested && html`<span class="chip warn">asked to end</span>`}<code>${job.id}</code>
        <${Button} icon="copy" kind="quiet" aria-label="Copy the id" title="Copy the id" onClick=${() => { copied(job.id); note('The id is copied'); }} /></p></div>
      <div class="row">${mayRetry && html`<${Action} icon="retry" kind="primary" data-key="r" act=${() => act('retry', 'It is ready again')}>Retry<//>`}
        ${mayCancel && html`<${Action} icon="cancel" kind="danger" data-key="c" act=${() => act('cancel', job.state === 'running' ? 'It was asked to give up' : 'It is cancelled')}>Cancel<//>`}
        ${job.state !== 'running' && html`<${Action} icon="delete" data-key="d" act=${async () => askToDelete(job, remove)}>Delete…<//>`}</div></header>
    <${Problem} of=${error} />
    ${job.problem && html`<p class="problem" role="alert">${job.problem}</p>`}
    ${value.why.length > 0 && html`<aside class="why" aria-labelledby="why"><h2 id="why">Why does it not run?</h2>${value.why.map((one) => html`<p>${one}</p>`)}</aside>`}
    ${value.progress && html`<${Progress} of=${value.progress} />`}
    <div class="split"><div>
      <section class="card pad"><h2>Timeline</h2><ol class="timeline">
        <${Event} at=${job.created} name="Pushed" />
        ${value.attempts.map((one) => html`<${Attempt} key=${one.claim} of=${one} />`)}
        ${job.state === 'running' && html`<${Event} name="Runs now" kind="is-now">on worker <code>${job.owner?.slice(-6)}</code><//>`}
        ${job.run_at && html`<${Event} at=${job.run_at} name=${job.state === 'scheduled' ? 'Due' : 'Waits'} kind="is-next">(<${Ago} at=${job.run_at} />)<//>`}
        ${job.finished && html`<${Event} at=${job.finished} name=${job.state} kind=${`is-${job.state}`} />`}
      </ol></section></div>
    <div><section class="card pad"><h2>Job</h2><dl class="facts">
        <${Fact} name="Queue"><a href=${link('jobs', { queue: job.queue })}>${job.queue}</a><//>
        <${Fact} name="Pushed"><${Ago} at=${job.created} /><//>
        ${job.run_at && html`<${Fact} name="Runs at"><${Ago} at=${job.run_at} /><//>`}
        ${job.finished && html`<${Fact} name="Ended"><${Ago} at=${job.finished} /><//>`}
        <${Fact} name="Failed">${job.attempts}${job.attempts_max ? ` of ${job.attempts_max}` : ''}<//>
        ${job.backoffs > 0 && html`<${Fact} name="Backoffs">${job.backoffs}<//>`}
        ${job.crashes > 0 && html`<${Fact} name="Crashes">${job.crashes}<//>`}
        <${Fact} name="Priority">${job.priority}<//>
        ${value.limit && html`<${Fact} name="Limit"><a href=${link('queues')}><code>${value.limit}</code></a><//>`}
        ${job.tags.length > 0 && html`<${Fact} name="Tags">${job.tags.map((tag) => html`<a class="chip" href=${link('jobs', { tag })}>${tag}</a> `)}<//>`}
        ${value.waits_for.length > 0 && html`<${Fact} name="Waits for">${value.waits_for.map((one) => html`<${JobLink} id=${one} /> `)}<//>`}
        ${value.timeout_seconds && html`<${Fact} name="Time limit">${span(value.timeout_seconds * 1000)} each attempt<//>`}
        ${value.expires && html`<${Fact} name="Begins before"><${Ago} at=${value.expires} /><//>`}
        ${value.tenant && html`<${Fact} name="Tenant"><code>${value.tenant}</code><//>`}
        ${value.trace_id && html`<${Fact} name="Trace"><${Trace} trace=${value.trace_id} part=${value.span_id} /><//>`}
        ${job.source && html`<${Fact} name="Written at"><code>${job.source}</code><//>`}
        <${Fact} name="Closure"><code class="wrap">${job.closure}</code><//></dl></section>
      <section class="card pad"><h2>Arguments</h2>${job.arguments === null ? html`<p class="muted">They are shown where the dashboard has the keys that jobs are signed with.</p>` : html`<${Json} value=${job.arguments} label="Arguments" />`}</section>
      ${value.result !== null && html`<section class="card pad"><h2>Result</h2><${Json} value=${value.result} label="Result" /></section>`}
      ${value.steps.length > 0 && html`<${Steps} key=${id} id=${id} of=${value.steps} total=${value.steps_total} />`}
      ${value.context.length > 0 && html`<${Context} of=${value.context} />`}
    </div></div>`;
}
