// Activations, number by number.

LAYERS.Relu = class extends Elementwise {
  f(x) { return Math.max(x, 0); }
  derivative(x) { return x > 0 ? 1 : 0; }
};

LAYERS.LeakyRelu = class extends Elementwise {
  f(x) { return x > 0 ? x : this.slope * x; }
  derivative(x) { return x > 0 ? 1 : this.slope; }
};

LAYERS.Elu = class extends Elementwise {
  f(x) { return x > 0 ? x : this.alpha * Math.expm1(x); }
  derivative(x, y) { return x > 0 ? 1 : y + this.alpha; }
};

LAYERS.Sigmoid = class extends Elementwise {
  f(x) { return 0.5 * Math.tanh(0.5 * x) + 0.5; }
  derivative(x, y) { return y * (1 - y); }
};

LAYERS.Tanh = class extends Elementwise {
  f(x) { return Math.tanh(x); }
  derivative(x, y) { return 1 - y * y; }
};
