"""Equation → what computes it → test

v_i = W h_i, h_i the maximum of nine places      RegionEncoder        test_regions_and_score_place_by_place
Σ max_i v_i · t_k + γ r · (c₁ − c₂)              RegionEncoder.score  the same, test_the_score_by_hand
ψ(h, h̄) + the score, D begins as φ(v)            build_text_gan       test_discriminator_begins_as_the_picture_encoder
x̂ = m₂ o₂ + (1 − m₂)(m₁ o₁ + (1 − m₁) b)         PairGenerator        test_generator_by_hand
hinge on a picture's own false sentence           train_encoders       test_the_hinge_on_false_sentences
right sentences are true, wrong ones are false    captioned_pairs      test_right_is_true_and_wrong_is_false
a sentence names the first object first           say_in_order         test_the_first_object_comes_first
a quarter of wrong ones: from another picture     wrong_relation       test_wrong_relations_of_another_picture
what a picture shows, against what was asked      relation_obedience   test_obedience_by_hand
what the judge reads, and its features            pair_features        test_what_the_judge_sees
"""

from collections import Counter

import pytest
import torch
from hypothesis import given
from torch.nn.functional import conv2d

from cgan.datasets import two
from cgan.extensions.pretraining import EncoderBatch, EncoderConfig, Encoders, train_encoders
from cgan.extensions.projection import TextConfig, build_text_gan
from cgan.extensions.relations import enlarged, pair_batches, pair_features, read_pairs, relation_obedience, scene_of
from cgan.extensions.two import PairGenerator, RegionEncoder, sentence_size
from cgan.text_encoder import joint_embedding_loss
from detector.decode import Detection
from detector.model import Detector
from tests.cgan.misconceptions import two as misconceptions
from tests.cgan.test_anywhere import placed_reference
from tests.cgan.test_text_to_image import SEEDS, each, generator_reference, made, some
from tests.strategies import unequal_sizes
from tests.teach import check_close, check_equal, check_same
from toyworld.facts import Description, Relation, holds
from toyworld.parser import read
from toyworld.rng import Rng
from toyworld.scenes import HELD_OUT, Object, Scene

LANGUAGES = ("english", "korean")


def regions_reference(model: RegionEncoder, images: torch.Tensor) -> torch.Tensor:
    """Picture by picture, place by place."""
    pictures = []
    for h in images:
        for layer, stride in ((model.first, 2), (model.second, 1), (model.third, 2)):
            h = conv2d(h[None], layer.weight, layer.bias, stride, 1)[0]
            h = torch.where(h > 0, h, 0.2 * h)
        around = [[h[:, max(0, y - 1) : y + 2, max(0, x - 1) : x + 2] for x in range(8)] for y in range(8)]
        rows = [model.output.weight @ part.flatten(1).amax(dim=1) for line in around for part in line]
        pictures.append(torch.stack(rows) + model.output.bias)
    return torch.stack(pictures)


def score_reference(model: RegionEncoder, regions: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    """For each picture: the best region of each part, and the expected places, summed over rows and columns."""
    scores, part = [], (vectors.shape[1] - 2) // 2
    for v, t in zip(regions, vectors, strict=True):
        products = [v @ t[:part], v @ t[part : 2 * part]]  # each (64)
        score = products[0].max() + products[1].max()
        for sign, product in zip((1, -1), products, strict=True):
            p = (product.exp() / product.exp().sum()).view(8, 8)
            for k in range(8):
                score = score + sign * model.relation * t[-2] * p[:, k].sum() * (k - 3.5) / 4  # column k: x
                score = score + sign * model.relation * t[-1] * p[k].sum() * (k - 3.5) / 4  # row k: y
        scores.append(score)
    return torch.stack(scores)


def check_encoder(kind: type, n: int, size: int, seed: int) -> None:
    model, candidate = (made(one, 2, size, seed=seed, spread=0.5) for one in (RegionEncoder, kind))
    images, vectors = some(n, 3, 32, 32, seed=seed), some(n, sentence_size(size), seed=seed + 1)
    check_same("v_i = W h_i", candidate, lambda x: regions_reference(model, x), images)
    check_same("the score", candidate.score, lambda v, t: score_reference(model, v, t), model(images).detach(), vectors)


@given(sizes=unequal_sizes(2, low=1, high=3), seed=SEEDS)
def test_regions_and_score_place_by_place(sizes, seed: int) -> None:
    check_encoder(RegionEncoder, *sizes, seed)


@each(misconceptions.ENCODERS)
def test_wrong_encoder_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_encoder(wrong, 2, 3, 0)


@given(sizes=unequal_sizes(3), seed=SEEDS)
def test_each_picture_with_each_sentence(sizes, seed: int) -> None:
    n, m, size = sizes
    model = made(RegionEncoder, 2, size, seed=seed, spread=0.5)
    regions, vectors = some(n, 64, size, seed=seed), some(m, sentence_size(size), seed=seed + 1)
    scores = model.scores(regions, vectors)
    for k in range(n):
        check_close("a row", scores[k], model.score(regions[k].expand(m, -1, -1), vectors))


def test_the_score_by_hand() -> None:
    """t₁ finds region (row 2, column 5), whose middle is x = 3/8, y = −3/8; t₂ finds (row 6, column 1): −5/8, 5/8."""
    regions = torch.zeros(1, 64, 2).double()
    regions[0, 2 * 8 + 5, 0], regions[0, 6 * 8 + 1, 1] = 80.0, 60.0
    model = RegionEncoder(1, 2).double()
    for relation, expected in (([1.0, 0.0], 4 * 8 / 8), ([0.0, 1.0], 4 * -8 / 8), ([0.0, 0.0], 0.0)):
        vectors = torch.tensor([[1.0, 0, 0, 1, *relation]]).double()
        check_close("80 + 60 + 4 r · (c₁ − c₂)", model.score(regions, vectors), torch.tensor([140 + expected]).double())


def test_discriminator_begins_as_the_picture_encoder() -> None:
    """Two sentences of one picture: the logits differ as much as the scores do. All that ψ sees has a weight."""
    torch.manual_seed(0)
    encoder = RegionEncoder(2, 5).requires_grad_(False)
    discriminator = build_text_gan(TextConfig(discriminator="encoder"), 12, encoder).discriminator
    images, one, other = torch.randn(6, 3, 32, 32), torch.randn(6, 12), torch.randn(6, 12)
    found = discriminator(images, one) - discriminator(images, other)
    v = encoder(images)
    check_close("a(v, t) − a(v, t')", found, encoder.score(v, one) - encoder.score(v, other), 1e-4, 1e-4)
    places = encoder.places(images).flatten(2)
    h = torch.cat([places.amax(dim=2), places.sum(dim=2) / 64], dim=1)
    check_close("ψ(h, h̄)", discriminator(images, one) - encoder.score(v, one), discriminator.real(h)[:, 0], 1e-4, 1e-4)
    discriminator(images, one).sum().backward()
    assert all(weight.grad.abs().max() > 0 for weight in discriminator.parameters()), "some weights do not learn"


def check_generators(kind: type) -> None:
    for seed in range(5):  # in some pictures the objects do not overlap
        check_generator(kind, 3, 4, 5, 6, seed)


def check_generator(kind: type, n: int, part: int, third: int, compressed: int, seed: int) -> None:
    sizes = sentence_size(part), 3 * third, compressed, (4, 3)
    model, candidate = (made(one, *sizes, seed=seed, spread=0.5) for one in (PairGenerator, kind))

    def expected(noise, vectors):
        parts = vectors[:, :part], vectors[:, part : 2 * part]
        known = [part @ model.canvas.compress.weight.T + model.canvas.compress.bias for part in parts]
        known = [torch.where(one > 0, one, 0.2 * one) for one in known]
        met = torch.cat([noise, *known, vectors[:, -2:]], dim=1) @ model.meet.weight.T + model.meet.bias
        told = torch.where(met > 0, met, 0.2 * met) @ model.place.weight.T + model.place.bias
        picture = told[:, 6:].tanh()[:, :, None, None]
        canvases = generator_reference(
            model.canvas, torch.cat([noise[:, :third], noise[:, third : 2 * third]]), torch.cat(parts)
        )
        for k in (0, 1):
            canvas = canvases[k * n : (k + 1) * n]
            m, where = (1 + canvas[:, 3:]) / 2, told[:, 3 * k : 3 * k + 3]
            centre, scale = where[:, :2].tanh(), where[:, 2:].sigmoid()
            shown, shown_mask = (placed_reference(one, centre, scale) for one in (m * canvas[:, :3], m))
            picture = shown + (1 - shown_mask) * picture
        return picture

    noise, vectors = some(n, 3 * third, seed=seed), some(n, sentence_size(part), seed=seed + 1)
    check_same("x̂ = m₂ o₂ + (1 − m₂)(m₁ o₁ + (1 − m₁) b)", candidate, expected, noise, vectors)


@given(sizes=unequal_sizes(4), seed=SEEDS)
def test_generator_by_hand(sizes, seed: int) -> None:
    check_generator(PairGenerator, *sizes, seed)


@each(misconceptions.GENERATORS)
def test_wrong_generator_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_generators(wrong)


def test_the_noise_must_have_three_parts() -> None:
    with pytest.raises(ValueError, match="--noise must be a multiple of 3 for --generator pair, got 32"):
        TextConfig(generator="pair", generator_channels=(4, 3))


@pytest.mark.parametrize(("picture", "weight"), [("pooled", 0.0), ("pooled", 2.0), ("regions", 2.0)])
def test_the_hinge_on_false_sentences(picture: str, weight: float) -> None:
    """The loss of one step is that of equation 2 and the weighted hinge, here written out."""
    torch.manual_seed(0)
    encoders = Encoders(9, EncoderConfig(size=4, channels=1, picture=picture))
    ids = torch.randint(1, 9, (2, 5, 3))
    batch = EncoderBatch(torch.randn(5, 3, 32, 32), ids[0], torch.eye(5).bool(), ids[1])
    vectors = encoders.sentence(ids.flatten(0, 1) if weight else ids[0])
    v, score = encoders.picture(batch.images), lambda v, t: v @ t
    if picture == "regions":
        score = lambda v, t: encoders.picture.score(v[None], t[None])[0]  # noqa: E731
    scores = torch.stack([torch.stack([score(v[i], t) for t in vectors[:5]]) for i in range(5)])
    expected = joint_embedding_loss(scores, batch.true)
    if weight:
        hinges = [max(0.0, 1 + (score(v[k], vectors[5 + k]) - scores[k, k]).item()) for k in range(5)]
        assert min(hinges) < max(hinges)
        expected = expected + weight * sum(hinges) / 5
    losses, optimizer = [], torch.optim.SGD(encoders.parameters(), 0.1)
    scheduler = torch.optim.lr_scheduler.ConstantLR(optimizer)
    note = lambda step, loss: losses.append(loss)  # noqa: E731
    train_encoders(encoders, optimizer, scheduler, lambda step: batch, range(1), note, weight)
    check_close("the loss", torch.tensor(losses), expected.detach().view(1), 1e-5, 1e-5)


@pytest.mark.parametrize("language", LANGUAGES)
def test_right_is_true_and_wrong_is_false(language: str) -> None:
    examples = two.captioned_pairs(language, "train", 0, 60)
    for scene, right, wrong in zip(examples.scenes, examples.right.tolist(), examples.wrong.tolist(), strict=True):
        assert len(scene.objects) == 2
        assert not {(one.colour, one.shape) for one in scene.objects} & set(HELD_OUT)
        for rows, expected in ((right, True), (wrong, False)):
            for row in rows:
                (fact,) = read(examples.sentences[row], language)
                assert examples.facts[row] == (fact,)
                assert holds(fact, scene) == expected, examples.sentences[row]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_object_comes_first(language: str) -> None:
    fact = Relation(Description(None, "red", "star"), "left of", Description("large", "blue", "circle"))
    names = {"english": ("red star", "large blue circle"), "korean": ("빨간색 별", "큰 파란색 원")}[language]
    said = {two.say_in_order(fact, language, Rng(str(k))) for k in range(40)}
    assert len(said) > 3, "there are several wordings"
    assert all(text.index(names[0]) < text.index(names[1]) for text in said)
    assert {read(text, language) for text in said} == {(fact,)}


def test_false_relations_have_one_thing_changed() -> None:
    """Of six, two change the first object, two the second, one the relation, and one which is which."""
    a, b = Description(None, "red", "star"), Description("large", "blue", "circle")
    fact, rng, kinds = Relation(a, "above", b), Rng("changes"), Counter()
    for _ in range(3000):
        other = two.false_relation(fact, rng)
        if other == Relation(b, "above", a):
            kinds["swapped"] += 1
        else:
            changed = [name for name in ("a", "relation", "b") if getattr(other, name) != getattr(fact, name)]
            assert len(changed) == 1
            kinds[changed[0]] += 1
            assert other.relation in ("above", "below")
    for kind, share in {"a": 1 / 3, "b": 1 / 3, "relation": 1 / 6, "swapped": 1 / 6}.items():
        assert abs(kinds[kind] / 3000 - share) < 0.05, kinds


def test_true_relations_begin_with_either_object() -> None:
    """The first object of a compositional scene has the pair held out; half of the sentences begin with the other."""
    first, sizes, relations = Counter(), Counter(), Counter()
    for index in range(400):
        scene = two.two_scene("compositional", 0, index)
        fact = two.true_relation(scene, Rng(f"true/{index}"))
        assert holds(fact, scene)
        first[fact.a.matches(scene.objects[0])] += 1
        sizes.update([fact.a.size is None, fact.b.size is None])
        relations[fact.relation] += 1
    for counts, share in ((first, 1 / 2), (sizes, 1 / 2), (relations, 1 / 4)):
        assert all(abs(n / counts.total() - share) < 0.1 for n in counts.values()), counts


def test_wrong_relations_of_another_picture() -> None:
    """A quarter are true of another picture; never of their own, though the other may show the same."""
    scenes, other = [two.two_scene("train", 0, 0)], [two.two_scene("train", 0, 1)]
    facts = [(two.true_relation(scenes[0], Rng(str(k))), Rng(str(k))) for k in range(400)]
    wrong = [two.wrong_relation(fact, scenes[0], other, rng) for fact, rng in facts]
    assert not any(holds(fact, scenes[0]) for fact in wrong)
    assert abs(sum(holds(fact, other[0]) for fact in wrong) / 400 - 0.25) < 0.08
    wrong = [two.wrong_relation(fact, scenes[0], scenes, rng) for fact, rng in facts[:40]]
    assert not any(holds(fact, scenes[0]) for fact in wrong)


def test_an_unknown_split_is_named() -> None:
    with pytest.raises(ValueError, match="split must be one of train, test, compositional, got 'training'"):
        two.two_scene("training", 0, 0)


def test_compositional_scenes_show_a_pair_held_out() -> None:
    for index in range(30):
        shown = [(one.colour, one.shape) for one in two.two_scene("compositional", 0, index).objects]
        assert len(set(shown) & set(HELD_OUT)) == 1
        assert len(set(shown)) == 2


def test_scenes_of_a_sentence() -> None:
    facts = two.full_relations(8)
    assert len({fact.relation for fact in facts}) == 4
    for fact in facts:
        scenes = two.scenes_of(fact, 3)
        assert all(holds(fact, scene) for scene in scenes)
        assert all(one.full for one in (fact.a, fact.b))
        places = {(scene.objects[0].x, scene.objects[0].y) for scene in (*scenes, *two.scenes_of(fact, 3, seed=1))}
        assert len(places) == 6, "all scenes differ"


def seen(colour: str, shape: str, x: float, size: str = "small") -> Detection:
    return Detection(colour, shape, size, x, 0.5, 0.9)


RED, BLUE = Description(None, "red", "star"), Description("small", "blue", "circle")


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([seen("red", "star", 0.2), seen("blue", "circle", 0.8)], (1, 1, 1)),
        ([seen("red", "star", 0.8), seen("blue", "circle", 0.2)], (1, 1, 0)),
        ([seen("red", "star", 0.49), seen("blue", "circle", 0.51)], (1, 1, 0)),  # too near to be left of anything
        ([seen("red", "star", 0.2), seen("blue", "circle", 0.8, "large")], (1, 0, 0)),
        ([seen("red", "circle", 0.2), seen("blue", "star", 0.8)], (1, 0, 0)),
        ([seen("red", "star", 0.2), seen("red", "star", 0.8)], (1, 0, 0)),
        ([seen("red", "star", 0.2)], (0, 0, 0)),
        ([seen("red", "star", 0.2), seen("blue", "circle", 0.8), seen("black", "cross", 0.5)], (0, 0, 0)),
    ],
)
def test_obedience_by_hand(objects, expected) -> None:
    found = relation_obedience([scene_of(objects)], [Relation(RED, "left of", BLUE)])
    assert found == dict(zip(("two objects", "both as named", "all named"), expected, strict=True))


def test_obedience_is_a_share() -> None:
    right, wrong = (scene_of([seen("red", "star", x), seen("blue", "circle", 1 - x)]) for x in (0.2, 0.8))
    found = relation_obedience([right, wrong, wrong, wrong], [Relation(RED, "left of", BLUE)] * 4)
    assert found == {"two objects": 1, "both as named": 1, "all named": 0.25}


def test_what_the_judge_sees() -> None:
    """Pictures go from −1 to 1, the detector's images from 0 to 1; each pixel becomes four. All chunks are read."""
    scene = Scene((Object("star", "red", "large", 0.3, 0.6, 0.15, (0.9, 0.1, 0.1)),), (0.9, 0.9, 0.9), 0.5)
    asked = []
    batch = pair_batches(lambda index: asked.append(index) or scene, 3, 32)(2)
    assert asked == [6, 7, 8], "each step has scenes of its own"
    assert batch.images.shape == (3, 3, 64, 64)
    check_equal("the same scene", batch.images[0], batch.images[2])
    seen_by = []

    class Noting(Detector):
        def forward(self, images):
            seen_by.append(images)
            return super().forward(images)

    images = torch.rand(5, 3, 32, 32)
    assert len(read_pairs(Noting(), images * 2 - 1, chunk=2)) == 5
    check_close("what it sees", torch.cat(seen_by), enlarged(images), 0, 1e-6)
    detector = Detector().eval()
    logits = detector(enlarged(images)).detach()  # (5, c, 16, 16)
    parts = [logits[:, :, y : y + 4, x : x + 4].mean(dim=(2, 3)) for y in range(0, 16, 4) for x in range(0, 16, 4)]
    found = pair_features(detector, images * 2 - 1, chunk=2)
    check_close("the logits' means in 4×4 parts", found, torch.stack(parts, dim=2).flatten(1), 1e-4, 1e-4)
    check_close("the mean colour stays", enlarged(images).mean(dim=(2, 3)), images.mean(dim=(2, 3)), 1e-2, 1e-2)
