"""The task behind ``--data toy --scene two``: both players on pictures of two objects with a relation."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from cgan.commands.frozen import POOL, TEST, EncoderTask, PairJudgeTask, load_frozen
from cgan.commands.sentences import EACH, VALIDATED, TextTask
from cgan.datasets.toy import captioned, pictures
from cgan.datasets.two import captioned_pairs, full_relations, say_in_order, scenes_of
from cgan.evaluate import frechet_distance, relative_diversity
from cgan.extensions.relations import pair_features, read_pairs, relation_obedience
from lab import cli
from toyworld.facts import Relation
from toyworld.rng import Rng
from toyworld.tokenizer import Tokenizer

FULL = 24  # sentences that name everything
SHOWN_FIRST = {
    "english": (
        "a large blue star to the left of a small red square", "a large blue star to the right of a small red square",
        "a large blue star above a small red square", "a large blue star below a small red square",
        "a green circle to the left of a yellow cross", "a small purple triangle above a large black diamond",
    ),
    "korean": (
        "큰 파란색 별이 작은 빨간색 정사각형의 왼쪽에 있다", "큰 파란색 별이 작은 빨간색 정사각형의 오른쪽에 있다",
        "큰 파란색 별이 작은 빨간색 정사각형의 위쪽에 있다", "큰 파란색 별이 작은 빨간색 정사각형의 아래쪽에 있다",
        "초록색 원이 노란색 십자 모양의 왼쪽에 있다", "작은 보라색 삼각형이 큰 검은색 마름모의 위쪽에 있다",
    ),
}  # fmt: skip


class PairTask(TextTask):
    """Both players on pictures of two objects with a relation."""

    shown_first = SHOWN_FIRST
    way: Mapping[str, tuple[str, str]] = {language: rows[:2] for language, rows in SHOWN_FIRST.items()}

    def make_judge_task(self) -> PairJudgeTask:
        return PairJudgeTask()

    def make_encoder_task(self, command: str, machine: cli.Machine) -> EncoderTask:
        """Its convolutions begin as those of the encoder for one object anywhere, which knows the shapes."""
        known = Tokenizer.of(captioned("anywhere", "english", "train", 0, POOL).sentences)
        one = load_frozen(EncoderTask("anywhere", "english", known), command, machine)
        return EncoderTask(self.kind, self.language, self.tokenizer, one.picture)

    def prepare(self) -> None:
        """Sentences that name everything, and real pictures of each."""
        self.full_facts = full_relations(FULL)
        self.full = self.said(self.full_facts)
        self.full_real = self.real_of_each(0)

    def real_of_each(self, seed: int) -> Tensor:
        """Real pictures of each sentence that names everything; another seed gives others."""
        return pictures([scene for fact in self.full_facts for scene in scenes_of(fact, EACH, seed)])

    def said(self, facts: Sequence[Relation]) -> list[str]:
        return [say_in_order(fact, self.language, Rng(f"cgan/two/{k}")) for k, fact in enumerate(facts)]

    def validate(self, model: nn.Module) -> dict[str, float]:
        """The monitor looks at pixels; the numbers are those of the judge, and choose nothing."""
        rows = self.each(VALIDATED)
        fakes = self.fakes(model, [self.full[k] for k in rows.tolist()], "validation")
        least = self.watch(fakes, rows, self.full_real, self.each(EACH), self.full)
        shares = relation_obedience(read_pairs(self.network, fakes), [self.full_facts[k] for k in rows.tolist()])
        return {"score": float(self.done), "obedience": shares["all named"], "least diversity": least}

    def judge(self, model: nn.Module) -> dict[str, Any]:
        """The fakes of the test sentences; real pictures in their place; for chance, those of other sentences."""
        test, other = self.captioned("test", 0, TEST), self.captioned("test", 1, TEST)
        asked = test.right[:, 0].tolist()
        wanted = [test.facts[k][0] for k in asked]
        fakes = self.fakes(model, [test.sentences[k] for k in asked], "test")
        rows = self.each(EACH)
        each = self.fakes(model, [self.full[k] for k in rows.tolist()], "test", 1)
        columns: dict[str, dict[str, float]] = {
            "chance": relation_obedience(read_pairs(self.network, other.images), wanted),
            "real": self.measure(test.images, wanted, self.real_of_each(1), other.images),
            "reached": self.measure(fakes, wanted, each, test.images),
        }
        self.compare(model, test, fakes, columns)
        unseen = captioned_pairs(self.language, "compositional", 0, TEST // 4)
        asked = unseen.right[:, 0].tolist()
        read = read_pairs(self.network, self.fakes(model, [unseen.sentences[k] for k in asked], "test", 2))
        shares = relation_obedience(read, [unseen.facts[k][0] for k in asked])
        columns["reached"]["unseen pairs"] = shares["all named"]
        return {"splits": {"test": columns}, "judge": self.judge_task.judge(self.network)["accuracy"]}

    def measure(self, some: Tensor, wanted: Sequence[Relation], each: Tensor, real: Tensor) -> dict[str, float]:
        """All measures of pictures, one for each wanted fact, and of several pictures of each full sentence."""
        rows = self.each(EACH)
        of_each, of_real = (pair_features(self.network, images) for images in (each, self.full_real))
        spread = relative_diversity(of_each, rows, of_real, rows)
        return {
            **relation_obedience(read_pairs(self.network, some), wanted),
            "diversity": sum(spread.values()) / len(spread),
            "least diversity": min(spread.values()),
            "FID": frechet_distance(pair_features(self.network, some), pair_features(self.network, real)),
        }
