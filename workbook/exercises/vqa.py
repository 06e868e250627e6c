"""Exercises of VQA (Antol et al. 2015): the metric, the two encoders' parts, the fusion, and the whole model."""

from workbook.exercises import Exercise

AGREEMENT = "vqa.metric.agreement"
STATES, NORM, FUSE = (f"vqa.model.{name}" for name in ("lstm_states", "norm_i", "fuse"))
QUESTIONS = "vqa.model.QuestionEncoder.forward"
FUSIONS = ("product", "sum", "concat")
CASES = ("none of ten", "one of ten", "two of ten", "three of ten", "four of ten", "two of three", "the only one")

EXERCISES = (
    Exercise(
        AGREEMENT,
        tests=("test_metric.py::test_agreement_by_hand",),
        write=("min(n/3, 1), as a float.", "min(n/3, 1)이며 float입니다."),
        hints=(
            ("Three annotators are enough; more do not help.", "세 사람이면 충분하고, 더 많아도 값은 같습니다."),
            (
                "The file has a name for the 3. Python's min takes several numbers.",
                "이 파일에 3을 가리키는 이름이 있습니다. 파이썬의 min은 수를 여러 개 받습니다.",
            ),
        ),
    ),
    Exercise(
        "vqa.metric.mean_agreement",
        tests=tuple(f"test_metric.py::check_mean_agreement(mean_agreement, {case!r})" for case in CASES),
        write=(
            "The mean, over the annotators j, of the agreement with all the others, without j. With a single annotator: 1 for "
            "the same string, 0 for any other, as a float.",
            "주석자 j를 한 명씩 빼고 나머지와의 일치도를 구한 다음, 모든 j에 대해 평균을 냅니다. 주석자가 한 명이면 같은 "
            "문자열일 때 1, 아니면 0입니다(float).",
        ),
        hints=(
            (
                "Leave out one annotator, not one answer: others may have given the same answer.",
                "답이 아니라 사람을 한 명 뺍니다. 다른 사람도 같은 답을 했을 수 있습니다.",
            ),
            (
                "For each j, count how many of the others gave the prediction, and call agreement.",
                "각 j에 대해 나머지 중 같은 답을 한 사람의 수를 세어 agreement를 부르십시오.",
            ),
        ),
        mistakes={
            "metric.nobody_left_out": "논문의 식 min(n/3, 1)이지만, 열 명 모두에 대해 세면 세 사람이 같을 때 0.9가 아니라 1이 됩니다.",
            "metric.fraction_of_annotators": "평균이기는 하지만, 네 사람이 같으면 나머지가 무엇이라 하든 충분합니다.",
            "metric.majority_only": "학습의 정답은 다수의 답이지만, 이 지표는 더 적은 사람이 한 답도 인정합니다.",
            "metric.own_answer_counts_too": "answer != left_out은 같은 답을 한 다른 사람까지 모두 뺍니다.",
        },
        hides=("vqa.metric.mean_agreement_spec", "vqa.metric.mean_agreement_of_matches"),
        needs=(AGREEMENT,),
    ),
    Exercise(
        "vqa.model.lstm_cell",
        tests=("test_model.py::test_cell_by_hand", "test_model.py::test_cell_equals_torch"),
        write=("One step of an LSTM: the new h and c.", "LSTM의 한 단계입니다. 새로운 h와 c를 반환합니다."),
        hints=(
            (
                "Read the docstring's last lines again: what do the rows of the weights hold?",
                "독스트링의 마지막 줄을 다시 읽으십시오. 가중치의 행에는 무엇이 들어 있습니까?",
            ),
            ("The order of the gates is i, f, g, o.", "게이트의 순서는 i, f, g, o입니다."),
        ),
        mistakes={
            "model.gates_in_the_order_of_the_paper": "글에서는 입력, 망각, 출력, 후보의 순서로 적지만, torch의 가중치 행은 i, f, g, o 순서입니다.",
            "model.shown_without_tanh": "g는 이미 눌려 있지만, 셀은 단어마다 더해져 커집니다.",
            "model.shows_the_old_cell": "두 줄에 모두 c가 있지만, h는 새로운 c에서 나와야 합니다.",
        },
        plant=("i, f, g, o = (", "i, f, o, g = (", "model.gates_in_the_order_of_the_paper"),
    ),
    Exercise(
        STATES,
        tests=(
            "test_model.py::test_states_equal_torch[lstm_states]",
            "test_model.py::test_padding_does_not_matter[lstm_states]",
        ),
        write=(
            "The final states [c_1, h_1, c_2, h_2] of an nn.LSTM for padded sequences: each ends with its own last word.",
            "패딩된 문장들에 대한 nn.LSTM의 마지막 상태 [c_1, h_1, c_2, h_2]입니다. 문장마다 자신의 마지막 단어에서 끝납니다.",
        ),
        hints=(
            (
                "pack_padded_sequence tells the LSTM where each sequence ends; the sequences are in no order.",
                "pack_padded_sequence가 각 문장이 끝나는 곳을 알려 줍니다. 문장은 길이순이 아닙니다.",
            ),
            (
                "The LSTM returns (h, c), each (layers, n, hidden). Stack c before h for each layer.",
                "LSTM은 (h, c)를 반환하며 모양은 각각 (층, n, hidden)입니다. 층마다 c를 h 앞에 쌓으십시오.",
            ),
            (
                "Bring n to the front with transpose before you flatten.",
                "flatten하기 전에 transpose로 n을 맨 앞으로 옮기십시오.",
            ),
        ),
        mistakes={
            "model.hidden_before_cell": "torch는 (h, c)를 반환합니다. 학습되는 층은 어떤 순서든 읽지만, 공개된 가중치는 그렇지 않습니다.",
            "model.all_cells_first": "cat 한 번이면 되지만, 층별이 아니라 [c1, c2, h1, h2]가 됩니다.",
            "model.states_behind_the_padding": "길이가 필요 없지만, 짧은 질문의 상태가 배치에서 가장 긴 질문에 따라 달라집니다.",
            "model.only_the_top_layer": "LSTM의 출력은 마지막 층이지만, 논문의 벡터에는 두 층의 상태가 모두 있습니다.",
            "model.layers_and_sequences_mixed_up": "모양은 맞지만, 전치하지 않으면 한 행에 다른 문장의 상태가 섞입니다.",
        },
        hides=("vqa.model.lstm_states_spec",),
    ),
    Exercise(
        QUESTIONS,
        tests=("test_model.py::test_question_encoder_by_hand",),
        write=(
            "Embed the token ids, apply tanh, and return the LSTM's final states. Id 0 is padding.",
            "토큰 번호를 임베딩하고 tanh를 적용한 다음 LSTM의 마지막 상태를 반환합니다. 0번은 패딩입니다.",
        ),
        hints=(
            ("lstm_states needs the length of each question.", "lstm_states에는 각 질문의 길이가 필요합니다."),
            ("A length is the number of ids that are not 0.", "길이는 0이 아닌 번호의 개수입니다."),
        ),
        needs=(STATES,),
    ),
    Exercise(
        NORM,
        tests=("test_model.py::test_norm_by_hand", "test_model.py::test_gradient_of_the_norm"),
        write=("Each row is scaled to the length LENGTH (L2 norm).", "각 행의 길이(L2 노름)를 LENGTH로 맞춥니다."),
        hints=(
            (
                "Each row is one image; its vector must not depend on the others.",
                "각 행이 한 이미지입니다. 벡터가 다른 이미지에 따라 달라지면 안 됩니다.",
            ),
            ("normalize(…, dim=-1) gives length 1.", "normalize(…, dim=-1)은 길이를 1로 만듭니다."),
        ),
        mistakes={
            "model.not_normalised": "논문에는 norm I가 없는 모델도 있지만, 그러면 물체가 많은 이미지에서 tanh가 포화됩니다.",
            "model.normalised_over_the_batch": "dim=0이 먼저 떠오르지만, 이미지의 벡터가 배치의 다른 이미지에 따라 달라집니다.",
            "model.divided_by_the_sum": "이것도 정규화이지만, norm I는 L2 노름입니다.",
        },
    ),
    Exercise(
        FUSE,
        tests=("test_model.py::test_fusions_by_hand", "test_model.py::test_gradient_of_the_product"),
        write=(
            "The pointwise product for fusion 'product', the sum for 'sum', both side by side for 'concat'; check_one_of refuses "
            "other names.",
            "fusion이 'product'이면 원소별 곱, 'sum'이면 합, 'concat'이면 둘을 나란히 붙입니다. 다른 이름은 check_one_of로 거부합니다.",
        ),
        hints=(
            ("Check the name first, then three cases.", "먼저 이름을 검사하고, 세 경우로 나누십시오."),
            ("torch.cat joins along the last dimension.", "torch.cat으로 마지막 차원을 따라 붙입니다."),
        ),
    ),
    Exercise(
        "vqa.model.VQA.forward",
        tests=(
            *(f"test_model.py::check_each_question_alone(ask, 2, 6, {fusion!r}, 0)" for fusion in FUSIONS),
            "test_model.py::test_one_input_alone",
        ),
        write=(
            "The logits of n questions about m images: both sides, fused as self.fusion says, then dropout and the classifier. "
            "Question k is about image image_of[k]. With self.inputs 'question' or 'image', that side alone.",
            "이미지 m개에 대한 질문 n개의 로짓입니다. 두 쪽을 self.fusion에 따라 합치고 dropout과 분류기를 적용합니다. 질문 k는 "
            "이미지 image_of[k]에 대한 것입니다. self.inputs가 'question'이나 'image'이면 그쪽만 씁니다.",
        ),
        hints=(
            (
                "question_side and image_side below do most of it.",
                "아래의 question_side와 image_side가 대부분을 해 줍니다.",
            ),
            (
                "image_side gives one row for each image; image_of picks a row for each question.",
                "image_side는 이미지마다 한 행을 줍니다. image_of로 질문마다 행을 고르십시오.",
            ),
            (
                "No softmax at the end: the loss takes logits.",
                "마지막에 softmax를 쓰지 마십시오. 손실은 로짓을 받습니다.",
            ),
        ),
        mistakes={
            "model.order_in_place_of_the_index": "질문이 이미지 순서대로 오는 일이 많지만, 그러면 어느 이미지인지 알 수 없습니다.",
            "model.tanh_after_the_product": "tanh 하나면 충분해 보이지만, 논문은 만나기 전에 각각을 누릅니다.",
            "model.tanh_forgotten_on_the_image": "이미지 벡터는 이미 정규화되었지만, 그러면 질문 쪽만 ±1 안에 있습니다.",
            "model.norm_forgotten": "tanh가 어차피 누르지만, 포화된 곳에서는 기울기가 사라집니다.",
            "model.softmax_in_the_model": "논문은 softmax로 끝나지만, cross_entropy가 다시 계산하므로 학습이 느려집니다.",
        },
        needs=(STATES, QUESTIONS, NORM, FUSE),
    ),
)
