"""How runs are told apart where their nets are of different kinds."""

from lamina.experiment.differing import differing, short_names, with_nets_named


def net_settings(**layers):
    places = {("net", "layers", n, k): v for n, kw in layers.items() for k, v in kw.items()}
    return {("optimizer", "lr"): 0.1, ("net", "type"): "Sequential", **places}


def test_nets_of_different_kinds_are_one_setting_in_words():
    many = {f"affine{i}": {"type": "Affine", "n_out": i} for i in range(1, 6)}
    wide = {name: {**layer, "n_out": 99} for name, layer in many.items()}
    one = net_settings(conv={"type": "Convolution", "c_out": 3}, affine={"type": "Affine"})
    several = [one, net_settings(**many), net_settings(**wide), net_settings(**many)]
    named = with_nets_named(several)
    assert [s["net",] for s in named] == [
        *("Convolution, Affine", "Affine (2)", "Affine (3)", "Affine (2)")
    ]
    assert differing(named) == [("net",)]
    assert short_names([("net",)]) == ["net"]
    assert all(s["optimizer", "lr"] == 0.1 and len(s) == 2 for s in named)


def test_few_settings_of_one_net_stay_what_they_are():
    several = [net_settings(a={"type": "Affine", "n_out": n}) for n in (10, 20)]
    assert with_nets_named(several) == several
    assert differing(several) == [("net", "layers", "a", "n_out")]


def test_a_place_in_a_list_is_called_by_the_list():
    metrics = [("training", "metrics", 0), ("training", "metrics", 1, "type")]
    assert short_names(metrics) == ["metrics.0", "metrics.1"]
    assert short_names([("training", "metrics", 1, "k"), (0,)]) == ["k", "0"]
