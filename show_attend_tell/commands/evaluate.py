"""The verb ``evaluate``: a trained model on photographs and captions that are in none of its splits."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from lab import cli
from lab.checkpoint import write_text
from lab.efficientnet import EfficientNetLite
from show_attend_tell.commands.caption import Penalty, Width, check_search
from show_attend_tell.commands.opened import open_run
from show_attend_tell.datasets import scores
from show_attend_tell.datasets.cache import grid_features
from show_attend_tell.datasets.features import FeatureFolder, Vectors, check_width
from show_attend_tell.datasets.flickr8k import read_unseen
from show_attend_tell.datasets.sources import examples_of
from show_attend_tell.datasets.views import MIRRORED, WithMirrorImages

Folder = Annotated[Path, tyro.conf.arg(metavar="DIR")]
File = Annotated[Path, tyro.conf.arg(metavar="FILE")]
Features = Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: they are computed)")]


@dataclass(frozen=True, kw_only=True)
class Evaluate(cli.Machine):
    """Judge a model that was trained on photographs on other photographs: BLEU, ROUGE-L and CIDEr-D."""

    images: Folder  # the folder with the image files
    captions: File  # a CSV file with the first line image,caption and a line for each caption
    run: str = "flickr8k"  # the name of the run
    features: Features = None  # a folder of precomputed features, one .npy an image
    beam: Width = 5  # width of the beam search; 1 is greedy decoding
    length_penalty: Penalty = None  # log p is divided by the number of words to this power

    def execute(self, command: str) -> None:
        check_search(self.beam, self.length_penalty)
        opened = open_run(self.run, self.device)
        if opened.is_toy:
            raise ValueError(f"{opened.folder} was trained on the toy world: evaluate needs a run on photographs")
        if opened.data["features"] and self.features is None:
            raise ValueError(
                f"--features is missing: {opened.folder} was trained on the features in {opened.data['features']}, "
                "and what computed them is not known"
            )
        images = read_unseen(self.images, self.captions)
        paths = {name: images.paths[name] for name in images.splits["test"]}
        vectors: Vectors
        if self.features is None:
            encoder = EfficientNetLite()
            readable = grid_features(paths, encoder)
            mirrored = grid_features({name: paths[name] for name in readable.rows}, encoder, view=MIRRORED)
            vectors = WithMirrorImages(readable, mirrored)
        else:
            vectors = FeatureFolder(self.features, paths)
        check_width(vectors, opened.data["width"], str(opened.folder))
        examples = examples_of(images.without(name for name in paths if name not in vectors), "test")
        penalty = opened.config.length_penalty if self.length_penalty is None else self.length_penalty
        often = opened.most_frequent()
        judged = scores.judge(opened.model, opened.tokenizer, vectors, examples, often, self.beam, penalty)
        place = opened.folder / "evaluation.json"
        content = {"paper": "show_attend_tell", "what": "evaluation", "command": command, "images": len(examples.names)}
        content |= {"beam": self.beam, "length_penalty": penalty, "scores": judged}
        write_text(place, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        print(f"{len(examples.names)} images\n{scores.table(judged)}\n{place}")
