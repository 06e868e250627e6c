"""Other correct solutions of VQA's exercises, written without the real ones. The judge must accept them."""

import torch


def metric_mean_agreement(prediction, answers):
    others = len(answers) - 1
    if others == 0:
        return 1.0 if answers[0] == prediction else 0.0
    same = [answer == prediction for answer in answers]
    return sum(min((sum(same) - own) / 3, 1) for own in same) / (others + 1)


def model_lstm_states(lstm, x, lengths):
    rows = []
    for sequence, length in zip(x, lengths.tolist(), strict=True):
        _, (h, c) = lstm(sequence[None, :length])
        rows.append(torch.cat([part[0] for pair in zip(c, h, strict=True) for part in pair]))
    return torch.stack(rows)


def model_norm_i(features):
    return 10 * features / torch.linalg.vector_norm(features, dim=1, keepdim=True)


def model_VQA_forward(self, images, questions, image_of):
    sides = []
    if self.inputs != "image":
        sides.append(self.question_side(questions))
    if self.inputs != "question":
        sides.append(self.image_side(images).index_select(0, image_of))
    if len(sides) == 1:
        z = sides[0]
    elif self.fusion == "concat":
        z = torch.cat(sides, 1)
    else:
        z = sides[0] * sides[1] if self.fusion == "product" else sides[0] + sides[1]
    return self.classify(self.dropout(z))
