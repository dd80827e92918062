// Shares as text, on the pages of nets and of training.

/* A share in per cent, as common/percent.py has it: all or none only of what is all or none. */
function percent(p) {
  let places = 1;
  if (p > 1e-8 && p < 1 - 1e-8)
    while ([0, 100].includes(Number((100 * p).toFixed(places)))) places++;
  return `${(100 * p).toFixed(places)} %`;
}
