// From totals, one sample a second, to what happened in each of these seconds.

/** How much a total grew in each second. */
export function perSecond(samples, name) {
  return pairs(samples).map(([before, now]) =>
    Math.max(0, (now[name] - before[name]) / (now.at_s - before.at_s)),
  );
}

/** Mean of a duration in each second, in ms; null where nothing was measured. */
export function meanMs(samples, name) {
  return pairs(samples).map(([before, now]) => {
    const count = now[`${name}_count`] - before[`${name}_count`];
    return count > 0 ? (1000 * (now[`${name}_s`] - before[`${name}_s`])) / count : null;
  });
}

/** A value as it was in each second. */
export function plain(samples, name, factor = 1) {
  return samples.map((sample) => sample[name] * factor);
}

function pairs(samples) {
  return samples.slice(1).map((now, index) => [samples[index], now]);
}
