// The layers, with the formulas and the names of Lamina's layers/.

// A learned array, and the gradient that the last backward gave.
class Param {
  constructor(data) {
    this.data = data;
    this.grad = null;
  }
}

// Y = X W + b        dX = dout Wᵀ    dW = Xᵀ dout    db = Σₙ doutₙ        layers/affine.py
class Affine {
  constructor(W, b) {
    this.W = new Param(W);
    this.b = new Param(b);
  }

  forward(X) {
    this.X = X;
    return X.times(this.W.data).plusRow(this.b.data);
  }

  backward(dout) {
    this.W.grad = this.X.T.times(dout);
    this.b.grad = dout.sumOfRows();
    return dout.times(this.W.data.T);
  }
}

// Y = max(X, 0)        dX = dout where X > 0, else 0        layers/relu.py
class Relu {
  forward(X) {
    this.Y = X.map((x) => Math.max(x, 0)); // NaN stays NaN
    return this.Y;
  }

  backward(dout) {
    return dout.map((d, i) => d * (this.Y.data[i] > 0));
  }
}

// Y = σ(X) = 1 / (1 + exp(-X))        dX = dout · Y (1 - Y)        layers/sigmoid.py
class Sigmoid {
  forward(X) {
    this.Y = X.map((x) => 0.5 * Math.tanh(0.5 * x) + 0.5);
    return this.Y;
  }

  backward(dout) {
    return dout.map((d, i) => d * this.Y.data[i] * (1 - this.Y.data[i]));
  }
}

// Y = tanh(X)        dX = dout · (1 - Y²)        layers/tanh.py
class Tanh {
  forward(X) {
    this.Y = X.map(Math.tanh);
    return this.Y;
  }

  backward(dout) {
    return dout.map((d, i) => d * (1 - this.Y.data[i] ** 2));
  }
}

// Y = X        dX = dout        no layer at all: Affine1 and Affine2 one after the other
class Identity {
  forward(X) {
    return X;
  }

  backward(dout) {
    return dout;
  }
}

// L = -1/N Σₙ log p[n, tₙ],  p = softmax(scores)        dscores = (p - onehot(t)) · dout / N
// From scores shifted by their maximum, which cannot overflow.        layers/softmax_with_loss.py
class SoftmaxWithLoss {
  forward(scores, t) {
    this.t = t;
    this.p = new Matrix(scores.rows, scores.cols);
    let sum = 0;
    for (let n = 0; n < scores.rows; n++) {
      const s = scores.row(n), p = this.p.row(n), highest = Math.max(...s);
      let total = 0;
      for (let j = 0; j < s.length; j++) total += p[j] = Math.exp(s[j] - highest);
      for (let j = 0; j < s.length; j++) p[j] /= total;
      sum += Math.log(total) - (s[t[n]] - highest);
    }
    return sum / scores.rows;
  }

  backward(dout = 1) {
    const dscores = this.p.map((p) => p * dout / this.p.rows);
    this.t.forEach((t, n) => { dscores.row(n)[t] -= dout / this.p.rows; });
    return dscores;
  }
}

const ACTIVATIONS = { relu: Relu, sigmoid: Sigmoid, tanh: Tanh, identity: Identity };
