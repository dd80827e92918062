// Matrices of float64 numbers, row by row, and the products that layers need.

class Matrix {
  constructor(rows, cols, data = new Float64Array(rows * cols)) {
    this.rows = rows;
    this.cols = cols;
    this.data = data;
  }

  static from(rows) {
    return new Matrix(rows.length, rows[0].length, Float64Array.from(rows.flat()));
  }

  at(i, j) {
    return this.data[i * this.cols + j];
  }

  row(i) {
    return this.data.subarray(i * this.cols, (i + 1) * this.cols);
  }

  // The rows of these numbers, as a matrix of its own.
  take(numbers) {
    const taken = new Matrix(numbers.length, this.cols);
    numbers.forEach((n, i) => taken.row(i).set(this.row(n)));
    return taken;
  }

  map(f) {
    return new Matrix(this.rows, this.cols, this.data.map(f));
  }

  get T() {
    const { rows, cols, data } = this, turned = new Matrix(cols, rows);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < cols; j++) turned.data[j * rows + i] = data[i * cols + j];
    return turned;
  }

  times(other) {
    const { rows, cols, data } = this, n = other.cols, product = new Matrix(rows, n);
    const out = product.data, factors = other.data;
    for (let i = 0; i < rows; i++)
      for (let k = 0; k < cols; k++) {
        const factor = data[i * cols + k];
        for (let j = 0; j < n; j++) out[i * n + j] += factor * factors[k * n + j];
      }
    return product;
  }

  plusRow(b) {
    const sum = new Matrix(this.rows, this.cols), { cols } = this;
    for (let i = 0; i < sum.data.length; i++) sum.data[i] = this.data[i] + b.data[i % cols];
    return sum;
  }

  // The sum of all rows, as one row.
  sumOfRows() {
    const sum = new Matrix(1, this.cols), { cols } = this;
    for (let i = 0; i < this.data.length; i++) sum.data[i % cols] += this.data[i];
    return sum;
  }
}
