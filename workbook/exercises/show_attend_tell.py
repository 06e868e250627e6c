"""Exercises of "Show, Attend and Tell" (Xu et al. 2015): the losses, the LSTM, soft attention, and the captioner."""

from workbook.exercises import Exercise

CELL, ATTEND, CONTEXT = (f"show_attend_tell.model.{name}" for name in ("lstm_cell", "attend", "soft_attention"))
SCORES, LOOK = (f"show_attend_tell.model.Captioner.{name}" for name in ("scores", "look"))

EXERCISES = (
    Exercise(
        "show_attend_tell.loss.caption_loss",
        tests=(
            "test_loss.py::test_loss_by_hand",
            "test_loss.py::test_loss_in_loops",
            "test_loss.py::test_more_padding_changes_nothing",
        ),
        write=(
            "The mean of -log p(y_t) over all words of the batch. Padding (PAD) has no part in it; <end> is a word.",
            "배치의 모든 단어에 대한 -log p(y_t)의 평균입니다. 패딩(PAD)은 빼고, <end>는 단어로 셉니다.",
        ),
        hints=(
            (
                "All words of all captions count the same: make one long list of words.",
                "모든 캡션의 모든 단어가 똑같이 셉니다. 하나의 긴 단어 목록으로 만드십시오.",
            ),
            (
                "cross_entropy can leave out one class number.",
                "cross_entropy에는 특정 클래스 번호를 빼는 인수가 있습니다.",
            ),
        ),
        mistakes={
            "loss.padding_counts_too": "기본값이 그렇지만, 그러면 모델이 <pad>를 쓰도록 학습하고 긴 캡션의 비중이 줄어듭니다.",
            "loss.mean_of_the_captions_means": "캡션 하나의 손실도 평균이지만, 그러면 짧은 캡션의 단어가 더 큰 비중을 가집니다.",
            "loss.divided_by_all_places_of_the_batch": "mean()이 마지막에 오면 패딩이 손실을 작게 만듭니다.",
            "loss.logits_are_probabilities": "식 7은 확률이지만, cross_entropy가 스스로 softmax를 계산합니다.",
            "loss.the_end_is_no_word": "<end>는 캡션에 없지만, 빼면 모델이 멈추는 법을 배우지 못합니다.",
            "loss.logits_transposed_by_view": "cross_entropy는 단어를 둘째 축에 두지만, view는 모양만 맞출 뿐 값이 섞입니다.",
        },
    ),
    Exercise(
        "show_attend_tell.loss.doubly_stochastic",
        tests=("test_loss.py::check_penalty_by_hand(doubly_stochastic)", "test_loss.py::test_penalty_in_loops"),
        write=(
            "The penalty of equation 14, one number for each caption.",
            "식 14의 벌점입니다. 캡션마다 수 하나입니다.",
        ),
        hints=(
            (
                "Equation 14 has two sums: over which letters, and where is the square?",
                "식 14에는 합이 두 개 있습니다. 각각 무엇에 대한 합이며 제곱은 어디에 있습니까?",
            ),
            (
                "The outer sum goes over the places. Is it a sum in the code?",
                "바깥 합은 위치에 대한 것입니다. 코드에서도 합입니까?",
            ),
        ),
        mistakes={
            "loss.mean_over_the_places": "손실은 흔히 평균이지만, 그러면 λ가 격자의 크기에 따라 달라집니다.",
            "loss.padding_looks_too": "저자의 코드에는 마스크가 없지만, <end> 뒤의 단계가 합을 1로 끌어올립니다.",
            "loss.mean_over_the_words": "긴 캡션은 더 많이 보지만, 1이어야 하는 것은 단어에 대한 합입니다.",
            "loss.absolute_difference": "1에서 얼마나 먼지를 재지만, C < L이면 어떤 어텐션이든 최솟값 L - C에 이릅니다.",
            "loss.square_of_the_sum": "합과 제곱을 한 줄에 쓰지만, Σ_i (1 - s_i)는 모델과 상관없이 L - C입니다.",
        },
        plant=(".square().sum(dim=-1)", ".square().mean(dim=-1)", "loss.mean_over_the_places"),
    ),
    Exercise(
        CELL,
        tests=("test_model.py::test_cell_by_hand", "test_model.py::test_cell_equals_torch"),
        write=(
            "Equations 1 to 3: one step of an LSTM, from x, h and c to the new (h, c). The rows of the weights hold i, f, g, o.",
            "식 1부터 3까지, LSTM의 한 단계입니다. x, h, c에서 새로운 (h, c)를 구합니다. 가중치의 행은 i, f, g, o 순서입니다.",
        ),
        hints=(
            (
                "All four gates are one linear map: x and h with their weights, and the bias.",
                "네 게이트는 하나의 선형 변환입니다. x와 h에 각각의 가중치를 곱하고 편향을 더합니다.",
            ),
            (
                "chunk(4, dim=-1) separates them. i, f and o get a sigmoid, g a tanh.",
                "chunk(4, dim=-1)로 나누십시오. i, f, o에는 sigmoid, g에는 tanh를 씁니다.",
            ),
            (
                "Compute the new c first: h comes from it, through a tanh and the gate o.",
                "새로운 c를 먼저 구하십시오. h는 그 c에 tanh와 게이트 o를 적용한 값입니다.",
            ),
        ),
        mistakes={
            "model.gates_in_the_order_of_the_equation": "식 1에는 i, f, o, g의 순서로 있지만, torch의 가중치 행은 i, f, g, o 순서입니다.",
            "model.candidate_through_a_sigmoid": "한 번에 넷을 모두 누르면 g가 음수가 되지 못해 셀이 커지기만 합니다.",
            "model.shown_without_tanh": "Show and Tell의 식 8에는 없지만, c_t는 더해져 커지므로 식 3에는 tanh가 있습니다.",
            "model.shows_the_old_cell": "식 2와 3에 모두 c가 있지만, h_t는 c_t에서 나와야 합니다.",
        },
    ),
    Exercise(
        ATTEND,
        tests=("test_model.py::test_weights_by_hand",),
        write=("Equation 5: the weights of the places of each image.", "식 5: 이미지마다 각 위치의 가중치입니다."),
        hints=(
            ("The weights of one image are positive and sum to 1.", "한 이미지의 가중치는 양수이며 합이 1입니다."),
            ("Which axis holds the places of one image?", "한 이미지의 위치들은 어느 축에 있습니까?"),
        ),
        mistakes={
            "model.softmax_over_the_images": "dim=0이 먼저 떠오르지만, 그러면 배치에 대한 합이 1이 됩니다.",
            "model.each_place_by_itself": "위치마다 볼지 말지를 정하는 듯하지만, 합이 1이 아니면 z는 평균이 아닙니다.",
            "model.scaled_scores": "Transformer는 제곱근으로 나누지만 식 5는 그렇지 않습니다.",
            "model.normalised_without_exp": "합이 1이면 될 것 같지만 음수가 될 수 있습니다.",
        },
    ),
    Exercise(
        CONTEXT,
        tests=("test_model.py::test_context_in_loops",),
        write=(
            "Equation 13: the mean of the annotation vectors, with these weights; for vectors of shape (n, 1, L, D) too.",
            "식 13: 이 가중치로 구한 주석 벡터의 평균입니다. 벡터의 모양이 (n, 1, L, D)인 경우도 다룹니다.",
        ),
        hints=(
            (
                "A weighted sum over the places. The weights sum to 1 already.",
                "위치에 대한 가중합입니다. 가중치의 합은 이미 1입니다.",
            ),
            (
                "Either an einsum with '...', or weights with one more axis, times the vectors, summed over the places.",
                "'...'를 쓴 einsum이나, 가중치에 축을 하나 더해 벡터와 곱하고 위치에 대해 더하는 방법이 있습니다.",
            ),
        ),
        mistakes={
            "model.unweighted_mean": "모양이 맞고 학습도 되지만, 어텐션이 없는 모델입니다.",
            "model.weighted_and_divided_by_the_places": "기댓값은 평균이지만, 가중치의 합이 이미 1입니다.",
            "model.the_best_place_alone": "모델이 보는 곳이지만, argmax에는 기울기가 없어 어텐션이 아무것도 배우지 못합니다.",
        },
    ),
    Exercise(
        SCORES,
        tests=("test_model.py::test_scores_in_loops",),
        write=(
            "Equation 4: w·tanh(W_a a_i + W_h h + b), one score for each place. annotations.projected holds W_a a_i + b.",
            "식 4: w·tanh(W_a a_i + W_h h + b)이며 위치마다 점수 하나입니다. annotations.projected에 W_a a_i + b가 있습니다.",
        ),
        hints=(
            (
                "project_state is W_h, and score is w. The state is the same for all places.",
                "project_state가 W_h, score가 w입니다. 상태는 모든 위치에서 같습니다.",
            ),
            (
                "Give the projected state an axis of size 1 for the places; score leaves an axis of size 1 to take away.",
                "사영한 상태에 위치를 위한 크기 1의 축을 넣으십시오. score 뒤에 남는 크기 1의 축은 없애십시오.",
            ),
        ),
    ),
    Exercise(
        LOOK,
        tests=(
            "test_model.py::test_equal_scores_give_the_mean",
            "test_model.py::test_without_attention_there_is_no_context",
        ),
        write=(
            "Equation 6 and β: the context β Σ_i α_i a_i, and the weights α. Without attention: an empty context, and equal weights "
            "1/L for all places.",
            "식 6과 β: 문맥 β Σ_i α_i a_i와 가중치 α를 반환합니다. 어텐션이 없는 모델이면 빈 문맥과, 모든 위치에서 같은 가중치 1/L을 "
            "반환합니다.",
        ),
        hints=(
            (
                "scores, attend and soft_attention do the steps.",
                "scores, attend, soft_attention이 각 단계를 해 줍니다.",
            ),
            ("β is the sigmoid of self.gate(h), shape (n, 1).", "β는 self.gate(h)의 sigmoid이며 모양은 (n, 1)입니다."),
            (
                "h[..., :0] is an empty context of the right type; new_full makes the equal weights.",
                "h[..., :0]은 알맞은 타입의 빈 문맥입니다. 같은 가중치는 new_full로 만드십시오.",
            ),
        ),
        needs=(ATTEND, CONTEXT, SCORES),
    ),
    Exercise(
        "show_attend_tell.model.Captioner.forward",
        tests=(
            "test_model.py::test_captioner_in_loops",
            "test_model.py::test_show_and_tell_in_loops",
            "test_model.py::test_several_captions_of_an_image",
            "test_model.py::check_earlier_words_only(forward, seed=0)",
        ),
        write=(
            "Teacher forcing: from captions (n, t), or (n, several, t), to the logits and weights of the next words, t - 1 steps. "
            "Begin with project and start; advance goes one word further.",
            "교사 강요(teacher forcing)입니다. 캡션 (n, t) 또는 (n, several, t)에서 다음 단어의 로짓과 가중치를 t - 1단계에 걸쳐 "
            "구합니다. project와 start로 시작하고, advance로 한 단어씩 나아갑니다.",
        ),
        hints=(
            ("The last word of a caption is never an input.", "캡션의 마지막 단어는 입력이 되지 않습니다."),
            (
                "For several captions, use shared() of what project returns, and give the state one more axis (expand).",
                "캡션이 여럿이면 project가 반환한 값의 shared()를 쓰고, 상태에 축을 하나 더하십시오(expand).",
            ),
            (
                "Collect h, context and weights of each step, stack them along dim=-2, and call deep_output once.",
                "단계마다 h, 문맥, 가중치를 모아 dim=-2로 쌓고, deep_output을 한 번 부르십시오.",
            ),
        ),
        mistakes={
            "model.looks_after_the_word": "나중의 모델은 그렇게 하지만(Lu 등 2017), 이 논문에서 α_t는 h_{t-1}에서 나옵니다.",
            "model.looks_with_the_cell": "torch는 (h, c)를 반환하고 c의 모양도 같지만, 보는 것은 h입니다.",
            "model.context_not_in_the_gates": "출력층이 문맥을 보지만, 그러면 LSTM은 무엇을 보았는지 모릅니다.",
            "model.context_not_in_the_output": "h_t가 문맥을 읽었지만, 식 7은 L_z z_t를 더합니다.",
            "model.without_beta": "식 13에는 β가 없지만 4.2.1절에서 더합니다.",
            "model.zeros_at_the_start": "torch는 0에서 시작하지만, 논문은 평균 주석에서 시작합니다.",
            "model.start_states_exchanged": "논문은 c_0을, torch는 h를 먼저 적습니다.",
            "model.tanh_before_the_output": "저자의 코드에는 있지만 식 7에는 없습니다.",
            "model.softmax_in_the_model": "식 7은 확률이지만, 손실이 다시 softmax를 계산하므로 학습이 느려집니다.",
            "model.reads_the_word_that_it_predicts": "캡션과 정답은 한 텐서이지만, 이렇게 하면 손실은 0에 가깝고 캡션은 엉터리가 됩니다.",
            "model.output_from_the_state_before": "어텐션은 h_{t-1}을 쓰지만 식 7에는 h_t가 있습니다.",
            "model.output_without_the_word": "h_t가 y_{t-1}을 읽었지만, 식 7은 E y_{t-1}을 더합니다.",
        },
        needs=(CELL, ATTEND, CONTEXT, SCORES, LOOK),
    ),
)
