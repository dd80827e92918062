// What there is to say of the state of a training, in words.

// The numbers of the neurons that give 0 at every training point: behind a ReLU no gradient
// reaches them any more.
function deadNeurons(net, X) {
  net.forward(X);
  const columns = Array.from({ length: net.H.cols }, (_, j) => j);
  return columns.filter((j) => net.Z.T.row(j).every((z) => z <= 0));
}

const lowestOf = (entries) => entries.reduce((a, b) => (b.test.loss < a.test.loss ? b : a));

// Sentences, the gravest first. `entries` are those of the History, `best` is the one with the
// lowest test loss, of which entries may be gone; `guessing` is the loss of guessing, ln C.
function remarks(training, entries, guessing, best = lowestOf(entries)) {
  const { net, settings, iteration, data } = training, now = entries.at(-1), said = [];
  if (!training.isFinite() || !Number.isFinite(now.train.loss)) {
    return [
      `At iteration ${iteration} the weights or the loss are no finite numbers any more (NaN): ` +
        "each step went further beyond the valley than the one before. From here nothing can be " +
        `learned. Choose a lower rate than there was (now ${number(settings.lr)}` +
        (settings.weightDecay ? `, with a weight decay of ${number(settings.weightDecay)}` : "") +
        ") and press Reset.",
    ];
  }
  // One that has only fallen began above it by its weights, and not by the rate.
  const lowest = Math.min(...entries.map((entry) => entry.train.loss));
  // One that falls again, as after a rate was lowered, is on its way.
  const falls = now.train.loss < (entries.at(-6) ?? entries[0]).train.loss;
  if (iteration && !falls && now.train.loss > 1.02 * Math.max(guessing, lowest))
    said.push(
      `The training loss is above that of guessing, ln ${data.classes.length} = ` +
        `${number(guessing)}: steps of this size go past the valley. Choose a lower rate.`);
  if (settings.initial === "zeros")
    said.push(
      "All weights began at 0. Neurons that begin equal get equal gradients, so they stay one " +
        "and the same neuron, however many there are.");
  if (settings.activation === "identity")
    said.push(
      "Without an activation between them two Affine layers are one: every border is a straight " +
        "line, whatever the number of neurons.");
  const dead = settings.activation === "relu" ? deadNeurons(net, data.train.X) : [];
  if (dead.length === settings.hidden)
    said.push(
      "All neurons are dead: they give 0 at every training point, no gradient reaches them, and " +
        "the answer is the same at all of these. Only Reset brings them back.");
  else if (dead.length)
    said.push(
      `Dead neurons: ${dead.map((j) => j + 1).join(", ")}. They give 0 at every training point, ` +
        "so no gradient reaches them, and they learn no more.");
  if (now.test.loss > 1.3 * best.test.loss && now.train.loss < best.train.loss)
    said.push(
      `The test loss was lowest at iteration ${best.iteration.toLocaleString("en")} and has ` +
        "risen since, while the training loss falls: over-fitting.");
  if (now.train.accuracy === 1)
    said.push(
      `All training points are answered right, and ${percent(now.test.accuracy)} of the test ` +
        "points, which the net never learned from.");
  return said;
}
