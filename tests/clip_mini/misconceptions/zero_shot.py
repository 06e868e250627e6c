"""Wrong zero-shot classifiers that people really write. The tests of ``clip_mini.zero_shot`` catch each."""

import torch
from torch.nn.functional import normalize


def not_normalised_again(encode_text, encode, prompts):
    """Tempting because each embedding has unit length; their mean is shorter, the more the prompts differ. It is the
    same as averaging the logits: a class with varied prompts is then chosen too rarely."""
    return torch.stack([encode_text(encode(texts)).mean(dim=0) for texts in prompts])


def first_prompt_only(encode_text, encode, prompts):
    """Tempting because one name is one text; the paper's ensemble of prompts gave 3.5% on ImageNet."""
    return torch.cat([encode_text(encode(texts[:1])) for texts in prompts])


def largest_in_each_dimension(encode_text, encode, prompts):
    """Tempting because the best prompt should count; numbers of different prompts do not make a direction."""
    return normalize(torch.stack([encode_text(encode(texts)).amax(dim=0) for texts in prompts]), dim=-1)


def normalised_over_the_classes(encode_text, encode, prompts):
    """Tempting because ``dim=0`` runs as well; no class then has unit length."""
    return normalize(torch.stack([encode_text(encode(texts)).mean(dim=0) for texts in prompts]), dim=0)


def softmax_over_the_images(image, classes, log_scale):
    """Tempting because training has both directions; a single image would be every class with probability 1."""
    return (log_scale.exp() * image @ classes.T).softmax(dim=0)


def without_the_scale(image, classes, log_scale):
    """Tempting because the nearest class is the same; but cosines lie within ±1, so all probabilities look alike."""
    return (image @ classes.T).softmax(dim=-1)


def one_sigmoid_a_class(image, classes, log_scale):
    """Tempting because each class is a yes or no; probabilities of classes of which one is right sum to 1."""
    return (log_scale.exp() * image @ classes.T).sigmoid()


CLASSES = (not_normalised_again, first_prompt_only, largest_in_each_dimension, normalised_over_the_classes)
CLASSIFIERS = (softmax_over_the_images, without_the_scale, one_sigmoid_a_class)
