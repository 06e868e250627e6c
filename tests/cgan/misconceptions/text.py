"""Wrong versions of what sentences need, each with the reason why it is tempting."""

import torch
from torch import nn
from torch.nn.functional import logsigmoid

from cgan.loss import interpolated, matching_aware_value, non_saturating_loss
from cgan.text_to_image import TextDiscriminator, TextGenerator


def half_forgotten(real, wrong, fake):
    """Tempting because all three are terms of one sum. Two pairs to refuse then weigh twice as much as one."""
    return logsigmoid(real).mean() + logsigmoid(-wrong).mean() + logsigmoid(-fake).mean()


def wrong_pairs_accepted(real, wrong, fake):
    """Tempting because the picture of a wrong pair is real. Then D need not read the sentence."""
    return (logsigmoid(real).mean() + logsigmoid(wrong).mean()) / 2 + logsigmoid(-fake).mean()


def half_of_everything(real, wrong, fake):
    """Tempting because the ½ is at the end of the line. It belongs to the wrong pairs alone."""
    return (logsigmoid(real).mean() + logsigmoid(-wrong).mean() + logsigmoid(-fake).mean()) / 2


def wrong_pairs_left_out(real, wrong, fake):
    """Tempting because it is the game that the reader knows."""
    return logsigmoid(real).mean() + logsigmoid(-fake).mean()


def one_mean_of_both(real, wrong, fake):
    """Tempting because both are refused. With more fakes than wrong pairs, each has not its half."""
    return logsigmoid(real).mean() + logsigmoid(-torch.cat([wrong, fake])).mean()


VALUES = (half_forgotten, wrong_pairs_accepted, half_of_everything, wrong_pairs_left_out, one_mean_of_both)


def true_pairs_punished(scores, true):
    """Tempting because only the diagonal is a pair of the batch. But "a star" is true of many pictures."""
    n = len(scores)
    own, false = scores.diagonal(), 1 - torch.eye(n, dtype=scores.dtype)
    losses = ((1 + scores - own[:, None]).relu() * false).sum(1) + ((1 + scores - own[None]).relu() * false).sum(0)
    return (losses / (n - 1)).mean()


def sentences_alone(scores, true):
    """Tempting because it already learns. In equation 2 the picture classifies, and so does the sentence."""
    own, false = scores.diagonal(), (~true).to(scores.dtype)
    return (((1 + scores - own[:, None]).relu() * false).sum(dim=1) / false.sum(dim=1).clamp(min=1)).mean()


def no_margin(scores, true):
    """Tempting because right pairs only have to win. Then all scores equal is a perfect encoder."""
    own, false = scores.diagonal(), (~true).to(scores.dtype)
    losses = ((scores - own[:, None]).relu() * false).sum(dim=1) / false.sum(dim=1).clamp(min=1)
    return (losses + ((scores - own[None]).relu() * false).sum(dim=0) / false.sum(dim=0).clamp(min=1)).mean()


def axes_exchanged(scores, true):
    """Tempting because both terms look alike; the matrix of what is true is not symmetric."""
    own, false = scores.diagonal(), (~true.T).to(scores.dtype)
    losses = ((1 + scores - own[:, None]).relu() * false).sum(dim=1) / false.sum(dim=1).clamp(min=1)
    return (losses + ((1 + scores - own[None]).relu() * false).sum(dim=0) / false.sum(dim=0).clamp(min=1)).mean()


def own_score_of_the_row(scores, true):
    """Tempting because one subtraction serves both sums. Sentence n has its own score in column n."""
    false = (~true).to(scores.dtype)
    hinges = (1 + scores - scores.diagonal()[:, None]).relu() * false
    return sum((hinges.sum(dim) / false.sum(dim).clamp(min=1)).mean() for dim in (0, 1))


EMBEDDING_LOSSES = (true_pairs_punished, sentences_alone, no_margin, axes_exchanged, own_score_of_the_row)


def padding_read(encoder, ids):
    """Tempting because the batch is a rectangle. A sentence then depends on the longest one beside it."""
    _, last = encoder.read(encoder.embed(ids))
    return encoder.norm(encoder.output(last[0]))


def bag_of_words(encoder, ids):
    """Tempting because most sentences are lists. "A star above a cross" is then "a cross above a star"."""
    return encoder.norm(encoder.output(encoder.embed(ids).mean(dim=1)))


ENCODERS = (padding_read, bag_of_words)


class NoiseIgnored(TextGenerator):
    """Tempting because the sentence says all that is judged. One sentence then has one picture."""

    def forward(self, noise, vectors):
        return super().forward(torch.zeros_like(noise), vectors)


class NoRelu(TextGenerator):
    """Tempting because the paper's figure shows one box. A leaky ReLU follows the compression."""

    def forward(self, noise, vectors):
        h = self.start(torch.cat([noise, self.compress(vectors)], dim=1)).unflatten(1, (-1, 4, 4))
        for norm, up in zip(self.norms, self.ups, strict=True):
            h = up(norm(h).relu())
        return h.tanh()


GENERATORS = (NoiseIgnored, NoRelu)


class SentenceAtOnePlace(TextDiscriminator):
    """Tempting because once should be enough. A 1×1 convolution sees one place only."""

    def match(self, seen, vectors):
        copied = seen.new_zeros(len(seen), self.compress.out_features, 4, 4)
        copied[:, :, 0, 0] = nn.functional.leaky_relu(self.compress(vectors), 0.2)
        joined = nn.functional.leaky_relu(self.joint(torch.cat([seen, copied], dim=1)), 0.2)
        return self.output(joined).flatten()


class ReluInPlaceOfLeaky(TextDiscriminator):
    """Tempting because the generator has it."""

    def match(self, seen, vectors):
        copied = self.compress(vectors).relu()[:, :, None, None].expand(-1, -1, 4, 4)
        return self.output(self.joint(torch.cat([seen, copied], dim=1)).relu()).flatten()


DISCRIMINATORS = (SentenceAtOnePlace, ReluInPlaceOfLeaky)


def loop(
    gan, optimizers, schedulers, batch_at, steps, log, interpolation=1.0, *, detach=True, asked="right",
    wrong_of="wrong", between_with="between", label_real=True, discriminator_learns_between=False, zero=True,
) -> None:  # fmt: skip
    """The loop with one mistake."""
    g, d = gan.generator, gan.discriminator
    for step in steps:
        batch = batch_at(step)
        images, right, noise = batch.images, batch.right, batch.noise
        fakes = g(noise, right)
        shown = fakes.detach() if detach else fakes
        wrong = getattr(batch, wrong_of) if wrong_of != "rolled" else right.roll(1, 0)
        discriminator_loss = -matching_aware_value(
            d(images, right), d(images, wrong), d(shown, getattr(batch, asked))
        )  # fmt: skip
        if discriminator_learns_between:
            between = interpolated(right)
            discriminator_loss = discriminator_loss - logsigmoid(-d(g(noise, between).detach(), between)).mean()
        if zero:
            optimizers.discriminator.zero_grad()
        if not detach:
            optimizers.generator.zero_grad()
        discriminator_loss.backward(retain_graph=True)
        optimizers.discriminator.step()
        loss = non_saturating_loss(d(fakes, right))
        if interpolation:
            between = interpolated(right)
            logits = d(g(noise, between), between if between_with == "between" else right)
            term = non_saturating_loss(logits) if label_real else -logsigmoid(-logits).mean()
            loss = loss + interpolation * term
        if detach:
            optimizers.generator.zero_grad()
        loss.backward()
        optimizers.generator.step()
        schedulers.discriminator.step()
        schedulers.generator.step()
        log(step, discriminator_loss=discriminator_loss.item(), generator_loss=loss.item())


def fakes_not_detached(*arguments) -> None:
    """Tempting because the loop runs without it. The generator then helps the discriminator, too."""
    loop(*arguments, detach=False)


def fakes_with_the_wrong_sentence(*arguments) -> None:
    """Tempting because a fake is to be refused anyway. D then need not look at a fake that fits its sentence."""
    loop(*arguments, asked="wrong")


def right_sentence_as_wrong(*arguments) -> None:
    """Tempting as a slip of the pen: the same pair is to be accepted and to be refused."""
    loop(*arguments, wrong_of="right")


def neighbour_as_wrong(*arguments) -> None:
    """Tempting because no data are needed: the next caption of the batch. It may be true of this picture, too."""
    loop(*arguments, wrong_of="rolled")


def interpolated_picture_with_one_end(*arguments) -> None:
    """Tempting because D knows that sentence. But the picture was made for the point between two sentences."""
    loop(*arguments, between_with="right")


def interpolated_fakes_called_fake(*arguments) -> None:
    """Tempting because they are fakes. The generator's terms all want D to call them real."""
    loop(*arguments, label_real=False)


def discriminator_learns_from_interpolated(*arguments) -> None:
    """Tempting because they are fakes. In equation 5 the discriminator does not learn from them."""
    loop(*arguments, discriminator_learns_between=True)


def gradients_added_up(*arguments) -> None:
    """Tempting because nothing complains."""
    loop(*arguments, zero=False)


LOOPS = (
    fakes_not_detached,
    fakes_with_the_wrong_sentence,
    right_sentence_as_wrong,
    neighbour_as_wrong,
    interpolated_picture_with_one_end,
    interpolated_fakes_called_fake,
    discriminator_learns_from_interpolated,
    gradients_added_up,
)
