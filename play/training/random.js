// Random numbers from a seed: the same seed gives the same numbers in every browser.

// mulberry32 (Tommy Ettinger, 2017): 32 bits of state. `stream` keeps what is drawn for one
// purpose apart from what is drawn for another, so that other neurons leave the points as they are.
class Random {
  constructor(seed, stream = 0) {
    this.state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b)) >>> 0;
  }

  // Uniform in [0, 1).
  uniform() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  between(low, high) {
    return low + (high - low) * this.uniform();
  }

  // Normal with mean 0 and deviation 1 (Box and Muller 1958).
  normal() {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  // 0 to n - 1 in random order (Fisher and Yates).
  permutation(n) {
    const order = Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor((i + 1) * this.uniform());
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }
}
