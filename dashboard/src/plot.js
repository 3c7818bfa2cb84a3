// Plots of the last minutes.
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useEffect, useRef } from 'preact/hooks';
import { html } from './ui.js';
import { samples, theme } from './state.js';

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

const hour = (seconds, isFine) => new Date(seconds * 1000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: isFine ? '2-digit' : undefined, hour12: false });

function optionsFor(series, format, width, height) {
  const grid = { stroke: colour('line'), width: 1 };
  const axis = { stroke: colour('muted'), font: '11px system-ui, sans-serif', grid, ticks: { show: false } };
  return {
    width,
    height,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    padding: [8, 20, 0, 0],
    scales: { y: { range: (_, least, most) => [0, Math.max(most * 1.15, 1)] } },
    axes: [
      { ...axis, grid: { show: false }, values: (_, at) => at.map((one) => hour(one, at.at(-1) - at[0] < 120)), space: 70, size: 24 },
      { ...axis, values: (_, at) => at.map(format), size: 52, space: 32 },
    ],
    series: [
      {},
      ...series.map(({ tone, fill, dash }) => ({
        stroke: colour(tone),
        width: 1.6,
        dash,
        fill: fill ? `${colour(tone)}22` : undefined,
        points: { show: false },
        spanGaps: true,
        paths: uPlot.paths.linear(),
      })),
    ],
  };
}

/// `series`: {name, tone, of: sample => number or null, fill, dash}.
export function Plot({ title, series, format }) {
  const box = useRef(null);
  const plot = useRef(null);
  const data = samples.value;
  const columns = () => [data.map((one) => one.at / 1000), ...series.map(({ of }) => data.map((one) => of(one) ?? null))];
  useEffect(() => {
    const height = 150;
    const made = new uPlot(optionsFor(series, format, box.current.clientWidth, height), columns(), box.current);
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize({ width: box.current.clientWidth, height }));
    watch.observe(box.current);
    return () => {
      watch.disconnect();
      made.destroy();
    };
  }, [theme.value]);
  useEffect(() => { plot.current?.setData(columns()); }, [data]);
  const last = data.at(-1);
  const words = series.map(({ name, of }) => `${name} ${last ? format(of(last) ?? 0) : 'not known'}`).join(', ');
  return html`<section class="card plot">
    <header><h2>${title}</h2>
      <ul class="legend">${series.map(({ name, tone, of, dash }) => html`<li>
        <i class=${`key tone-${tone}${dash ? ' dashed' : ''}`}></i>${name} <b>${last && of(last) !== null && of(last) !== undefined ? format(of(last)) : '–'}</b></li>`)}</ul>
    </header>
    <div class="canvas"><div ref=${box} role="img" aria-label=${`${title}: ${words}`}></div></div>
  </section>`;
}
