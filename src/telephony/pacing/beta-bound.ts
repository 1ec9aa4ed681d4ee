// How high a share may truly be, given how often it was seen: the upper bound of a Beta posterior.

/** Stirling's series (DLMF 5.11.1) is exact to 1e-10 from here up; smaller arguments are raised. */
const stirlingFrom = 10;

/** ln Γ(x) for x > 0. */
function logGamma(x: number): number {
  let raised = x;
  let product = 1;
  while (raised < stirlingFrom) {
    product *= raised;
    raised += 1;
  }
  const inverse = 1 / raised;
  const series = inverse * (1 / 12 - inverse ** 2 * (1 / 360 - inverse ** 2 / 1260));
  const stirling = (raised - 0.5) * Math.log(raised) - raised + Math.log(2 * Math.PI) / 2;
  return stirling + series - Math.log(product);
}

/** P(at most `hits` successes among `trials` of chance `share`), summed from the largest term. */
function binomialAtMost(hits: number, trials: number, share: number): number {
  const logChoose = logGamma(trials + 1) - logGamma(hits + 1) - logGamma(trials - hits + 1);
  let term = Math.exp(logChoose + hits * Math.log(share) + (trials - hits) * Math.log1p(-share));
  let sum = 0;
  for (let k = hits; k >= 0; k -= 1) {
    sum += term;
    term *= (k * (1 - share)) / ((trials - k + 1) * share);
    if (term < sum * 1e-15) break;
  }
  return sum;
}

const bisections = 40;

/**
 * The share (0 to 1) below which the true share lies with `confidence`, after `hits` among `total`
 * and nothing known before (uniform prior): the quantile of Beta(hits + 1, total - hits + 1). For
 * whole counts a Beta tail is a binomial sum (DLMF 8.17.5), so that no series has to be cut.
 */
export function upperShare(confidence: number, hits: number, total: number): number {
  // Just under the peak of the posterior; further down the largest term would vanish to zero.
  let low = hits / (total + 2);
  let high = 1;
  for (let step = 0; step < bisections; step += 1) {
    const middle = (low + high) / 2;
    if (binomialAtMost(hits, total + 1, middle) > 1 - confidence) low = middle;
    else high = middle;
  }
  return high;
}
