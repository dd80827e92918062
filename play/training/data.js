// Points in the plane with a class each: made from a seed, so that there is no end of them.

const EACH = { train: 100, test: 50 }; // points of a class

// A set has its classes, and gives a point of class number c, inside the square from -1 to 1.
const SETS = {
  spirals: {
    classes: ["arm 1", "arm 2", "arm 3"],
    point(c, random) {
      const r = random.between(0.05, 1), angle = 2 * Math.PI * c / 3 + 4 * r;
      return [r * Math.cos(angle), r * Math.sin(angle)];
    },
  },
  circles: {
    classes: ["inside", "ring"],
    point(c, random) {
      const r = c ? random.between(0.65, 1) : 0.4 * Math.sqrt(random.uniform());
      const angle = random.between(0, 2 * Math.PI);
      return [r * Math.cos(angle), r * Math.sin(angle)];
    },
  },
  xor: {
    classes: ["same sign", "other sign"],
    point(c, random) {
      const sign = random.uniform() < 0.5 ? -1 : 1;
      return [sign * random.between(0.1, 1), (c ? -sign : sign) * random.between(0.1, 1)];
    },
  },
  blobs: {
    classes: ["blob 1", "blob 2", "blob 3"],
    point(c, random) {
      const angle = 2 * Math.PI * (c / 3 + 0.25);
      return [
        0.6 * Math.cos(angle) + 0.12 * random.normal(),
        0.6 * Math.sin(angle) + 0.12 * random.normal(),
      ];
    },
  },
};

// {classes, train: {X (N, 2), t}, test: {X, t}}. `noise` is the deviation of what is added to each
// coordinate.
function makeData(name, noise, seed) {
  const { classes, point } = SETS[name], random = new Random(seed);
  const part = (each) => {
    const t = Array.from({ length: each * classes.length }, (_, n) => n % classes.length);
    const points = t.map((c) => point(c, random).map((x) => x + noise * random.normal()));
    return { X: Matrix.from(points), t };
  };
  return { classes, train: part(EACH.train), test: part(EACH.test) };
}
