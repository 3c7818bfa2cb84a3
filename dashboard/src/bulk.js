// Changes of many jobs: counted, confirmed, done part by part.
import { useState, useEffect } from 'preact/hooks';
import { html, Button, Problem, count, counted } from './ui.js';
import { change } from './api.js';
import { dialog, note } from './state.js';

const words = {
  retry: { title: 'Retry jobs', verb: 'Retry', doing: 'Retrying', done: 'made ready again', kind: 'primary' },
  cancel: { title: 'Cancel jobs', verb: 'Cancel', doing: 'Cancelling', done: 'cancelled, or asked to give up', kind: 'danger' },
  delete: { title: 'Delete jobs for good', verb: 'Delete', doing: 'Deleting', done: 'deleted', kind: 'danger' },
};

function Confirm({ action, filter, what, close, after }) {
  const [found, setFound] = useState(null);
  const [failed, setFailed] = useState(null);
  const [progress, setProgress] = useState(null);
  const say = words[action];
  useEffect(() => {
    change('bulk/count', { action, filter }).then(setFound, setFailed);
  }, []);
  const run = async () => {
    const sum = { changed: 0, left_count: 0, left: [] };
    setProgress(sum);
    try {
      for (;;) {
        const part = await change('bulk/run', { token: found.token });
        sum.changed += part.changed;
        sum.left_count += part.left_count;
        sum.left.push(...part.left);
        setProgress({ ...sum });
        if (part.is_over) break;
      }
      note(`${counted(sum.changed, 'job')} ${say.done}${sum.left_count ? `, ${count(sum.left_count)} left as they are` : ''}`);
      if (sum.left_count === 0) close();
      else setProgress({ ...sum, over: true });
    } catch (stopped) {
      setFailed(stopped);
      setProgress({ ...sum, over: true });
    }
    after?.();
  };
  const many = found && `${count(found.jobs)}${found.has_more ? ' or more' : ''}`;
  return html`<div>
    <p>${found ? html`<b>${found.has_more ? `${many} jobs fit` : counted(found.jobs, 'job fits', 'jobs fit')}</b>: ${what}.` : failed ? '' : 'Counting…'}</p>
    ${found?.has_more && html`<p class="muted">There are more than could be counted at once. All of them will be changed; you can stop by closing the page.</p>`}
    ${progress && html`<div class="progress" role="progressbar" aria-label=${say.doing} aria-valuemin="0" aria-valuemax=${found.jobs} aria-valuenow=${progress.changed + progress.left_count}>
      <i style=${{ width: `${Math.min(100, (100 * (progress.changed + progress.left_count)) / Math.max(1, found.jobs))}%` }}></i></div>
      <p role="status">${count(progress.changed)} done${progress.left_count ? `, ${count(progress.left_count)} left as they are` : ''}</p>`}
    ${progress?.left.length > 0 && html`<ul class="left">${progress.left.slice(0, 20).map((one) => html`<li><code>${one.id}</code> ${one.why}</li>`)}</ul>`}
    <${Problem} of=${failed} />
    <footer class="row end">
      <${Button} onClick=${close}>${progress?.over ? 'Close' : 'Keep them as they are'}<//>
      ${!progress && html`<${Button} kind=${say.kind} disabled=${!found || found.jobs === 0} onClick=${run} data-confirm=${action}>
        ${found ? `${say.verb} ${many}` : '…'}<//>`}
    </footer></div>`;
}

/// `what`: the filter in words.
export function askForMany(action, filter, what, after) {
  dialog.value = {
    title: words[action].title,
    body: (close) => html`<${Confirm} action=${action} filter=${filter} what=${what} close=${close} after=${after} />`,
  };
}

/// Asks whether that one job is to go for good.
export function askToDelete(job, act) {
  dialog.value = {
    title: 'Delete this job for good',
    body: (close) => html`<p>${job.finished ? '' : job.attempts > 0 ? 'It waits to be tried again, and will not be. ' : 'It has not run, and will not. '}Its arguments, attempts and result are gone then, too.</p>
      <footer class="row end"><${Button} onClick=${close}>Keep it<//>
      <${Button} kind="danger" data-confirm="delete" onClick=${() => { close(); act(); }}>Delete<//></footer>`,
  };
}
