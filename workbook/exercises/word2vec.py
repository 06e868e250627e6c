"""Exercises of word2vec (Mikolov et al. 2013): the two losses, the two tables, which words are drawn, and the pairs."""

from workbook.exercises import Exercise

EXERCISES = (
    Exercise(
        "word2vec.loss.softmax_loss",
        tests=(
            "test_loss.py::test_equation_2_by_hand",
            "test_loss.py::test_softmax_equals_spec",
            "test_loss.py::check_softmax_of_large_scores(softmax_loss)",
        ),
        write=(
            "Equation 2: the mean over the pairs of -ln p(context | centre). It must stay finite for scores of ±1000.",
            "식 2: 모든 쌍에 대한 -ln p(문맥 | 중심)의 평균입니다. 점수가 ±1000이어도 유한해야 합니다.",
        ),
        hints=(
            (
                "Each row of scores is one classification problem, and the context word is the right class.",
                "점수의 각 행은 하나의 분류 문제이고, 문맥 단어가 정답 클래스입니다.",
            ),
            (
                "Compute the logarithm of the softmax along the words (dim=1), take the entry of the context, average.",
                "단어 방향(dim=1)으로 softmax의 로그를 구하고, 문맥 단어의 값을 골라 평균을 냅니다.",
            ),
            (
                "torch has one function that does all of this for scores and class numbers.",
                "torch에는 점수와 클래스 번호를 받아 이 모두를 해 주는 함수가 하나 있습니다.",
            ),
        ),
        mistakes={
            "loss.softmax_twice": "확률을 내놓아야 할 것 같지만, cross_entropy는 점수를 받아 스스로 softmax를 계산합니다.",
            "loss.softmax_over_the_batch": "배치 안에서 비교하는 손실도 있지만, 여기서는 어휘의 모든 단어에 대해 더해야 합니다.",
            "loss.softmax_over_the_wrong_axis": "첫째 축은 단어가 아니라 쌍의 번호입니다. 단어 축을 따라 더해야 합니다.",
            "loss.softmax_in_bits": "정보량은 비트로도 재지만, 여기서는 자연로그를 씁니다. 첫 손실은 ln V입니다.",
            "loss.softmax_unshifted": "식 그대로이지만, 점수가 1000이면 exp가 무한대가 됩니다.",
        },
        hides=("word2vec.loss.softmax_loss_spec",),
    ),
    Exercise(
        "word2vec.loss.negative_sampling_loss",
        tests=(
            "test_loss.py::test_equation_4_by_hand",
            "test_loss.py::test_sampling_equals_spec",
            "test_loss.py::check_sampling_of_large_scores(negative_sampling_loss)",
            "test_loss.py::test_gradient_of_sampling_in_closed_form",
        ),
        write=(
            "Equation 4 with its sign changed: a sum over the k noise words, then the mean over the pairs.",
            "부호를 바꾼 식 4: k개의 노이즈 단어에 대해 더한 뒤, 모든 쌍에 대해 평균을 냅니다.",
        ),
        hints=(
            (
                "A noise word counts with the probability that it is no context: σ of minus its score.",
                "노이즈 단어는 문맥이 아닐 확률로 계산합니다. 점수에 음수를 붙인 값의 σ입니다.",
            ),
            (
                "Do not take the logarithm of a sigmoid: for large scores it is ln 0. torch has both in one function.",
                "sigmoid의 로그를 따로 구하지 마십시오. 점수가 크면 ln 0이 됩니다. torch에 둘을 합친 함수가 있습니다.",
            ),
            (
                "The noise term is summed over dim=1, then both terms are added, averaged over n and negated.",
                "노이즈 항은 dim=1로 더합니다. 두 항을 더하고 n에 대해 평균을 낸 다음 부호를 바꿉니다.",
            ),
        ),
        mistakes={
            "loss.sigmoid_then_log": "식 4를 그대로 쓴 것이지만, 점수가 0에서 멀면 σ가 0이나 1이 되어 손실이 무한대가 됩니다.",
            "loss.an_epsilon_in_the_log": "무한대는 피하지만, 가장 나쁜 쌍의 기울기도 사라집니다.",
            "loss.noise_with_the_sign_of_neighbours": "두 항이 모두 ln σ(s)처럼 보이지만, 노이즈 단어의 점수에는 음의 부호가 붙습니다.",
            "loss.mean_over_the_noise": "손실은 흔히 평균이지만, 식 4는 k개의 단어에 대해 더합니다.",
            "loss.mean_over_all_answers": "binary_cross_entropy는 평균을 내므로 식 4를 k + 1로 나눈 값이 됩니다.",
            "loss.summed_over_the_batch": "논문의 목적 함수는 합이지만, 그러면 학습률이 배치 크기에 따라 달라집니다.",
            "loss.sum_before_the_sigmoid": "합의 ln σ는 ln σ의 합과 다릅니다.",
        },
        hides=("word2vec.loss.negative_sampling_loss_spec",),
    ),
    Exercise(
        "word2vec.model.SkipGram.__init__",
        tests=(
            "test_model.py::test_first_weights",
            "test_model.py::test_step_0_is_known",
            "test_model.py::test_wrong_sizes_are_named",
        ),
        write=(
            "Two tables as nn.Parameter: self.centre, uniform within ±1/(2 dim), and self.context, all zeros. Refuse "
            "fewer than two words or a dim below 1 with ValueError('words must be at least 2 and dim at least 1, got "
            "{words} and {dim}').",
            "nn.Parameter인 표 두 개를 만듭니다. self.centre는 ±1/(2 dim) 사이의 균등분포, self.context는 모두 0입니다. "
            "단어가 둘보다 적거나 dim이 1보다 작으면 ValueError('words must be at least 2 and dim at least 1, got "
            "{words} and {dim}')를 냅니다.",
        ),
        hints=(
            (
                "Begin with the constructor of nn.Module: without it a module has no parameters.",
                "nn.Module의 생성자를 먼저 부르십시오. 그래야 모듈이 파라미터를 가질 수 있습니다.",
            ),
            (
                "torch.rand is uniform in 0 … 1. Move it so that its middle is 0, then make it narrow.",
                "torch.rand는 0과 1 사이에서 균등합니다. 가운데가 0이 되도록 옮긴 다음 폭을 줄이십시오.",
            ),
        ),
    ),
    Exercise(
        "word2vec.model.SkipGram.scores",
        tests=("test_model.py::test_scores_by_hand", "test_model.py::test_scores_equal_loops"),
        write=(
            "The product v'_o · v_c of each centre with its context: (n,) for contexts of shape (n,), (n, k) for (n, k).",
            "각 중심 단어와 문맥 단어의 내적 v'_o · v_c입니다. contexts가 (n,)이면 (n,), (n, k)이면 (n, k)를 반환합니다.",
        ),
        hints=(
            (
                "Look up the rows first: centres in self.centre, contexts in self.context.",
                "먼저 행을 찾으십시오. centres는 self.centre에서, contexts는 self.context에서 찾습니다.",
            ),
            (
                "An einsum with '...' between n and d serves both shapes; the sum goes over d.",
                "einsum에서 n과 d 사이에 '...'를 쓰면 두 모양을 모두 다룰 수 있습니다. d에 대해 더합니다.",
            ),
        ),
        needs=("word2vec.model.SkipGram.__init__",),
    ),
    Exercise(
        "word2vec.vocabulary.keep_probability",
        tests=(
            "test_vocabulary.py::test_code_by_hand",
            "test_vocabulary.py::test_where_the_two_forms_differ",
            "test_vocabulary.py::test_keep_probability_equals_gensims",
        ),
        write=(
            "The probability that a word is kept: √(t/f) + t/f, at most 1; with sample = 0, all ones in float64.",
            "단어를 남길 확률입니다. √(t/f) + t/f이며 최대 1입니다. sample이 0이면 모두 1(float64)입니다.",
        ),
        hints=(
            (
                "f(w) is a share of the corpus, not a count: the file has a function for it.",
                "f(w)는 횟수가 아니라 말뭉치에서 차지하는 비율입니다. 이 파일에 그 함수가 있습니다.",
            ),
            (
                "Compute t/f once, and use it twice. clamp(max=…) cuts at 1.",
                "t/f를 한 번만 구해 두 번 쓰십시오. clamp(max=…)로 1에서 자릅니다.",
            ),
        ),
        mistakes={
            "vocabulary.discard_taken_for_keep": "논문의 식 5는 단어를 버릴 확률입니다. 여기서는 남길 확률이 필요합니다.",
            "vocabulary.threshold_in_words": "t는 말뭉치에 대한 비율이므로 횟수를 전체 단어 수로 나누어야 합니다.",
            "vocabulary.without_the_root": "t/f만 쓰면 자주 나오는 단어가 모두 똑같이 드물어집니다. 제곱근이 순서를 지켜 줍니다.",
            "vocabulary.fraction_upside_down": "저자의 코드에는 (√(f/t) + 1) · t/f가 있습니다. 마지막 인수를 빼면 모든 단어가 남습니다.",
        },
    ),
    Exercise(
        "word2vec.vocabulary.noise_distribution",
        tests=("test_vocabulary.py::test_noise_by_hand", "test_vocabulary.py::test_noise_equals_gensims"),
        write=(
            "P_n(w) = U(w)^¾ / Z, from the counts of the words.",
            "단어의 횟수로부터 구한 P_n(w) = U(w)^¾ / Z입니다.",
        ),
        hints=(
            (
                "Add up what comes for three words: is it a distribution?",
                "단어 세 개에 대한 결과를 모두 더해 보십시오. 확률분포입니까?",
            ),
            (
                "What is Z? The counts summed to 1 once; their powers do not.",
                "Z가 무엇입니까? 처음의 비율은 합이 1이지만, 거듭제곱한 값은 그렇지 않습니다.",
            ),
        ),
        mistakes={
            "vocabulary.power_without_new_sum": "빈도의 합은 1이었지만 거듭제곱한 값의 합은 1보다 큽니다.",
            "vocabulary.noise_from_plain_frequencies": "단어가 실제로 나오는 비율이지만, 그러면 노이즈가 거의 모두 가장 흔한 단어가 됩니다.",
            "vocabulary.power_upside_down": "3/4은 분포를 평평하게 합니다. 4/3는 흔한 단어를 더 흔하게 만듭니다.",
        },
        plant=("return powers / powers.sum()", "return powers", "vocabulary.power_without_new_sum"),
    ),
    Exercise(
        "word2vec.pairs.draw_windows",
        tests=("test_pairs.py::test_all_windows_are_equally_likely",),
        write=(
            "A window from 1 … c for each of n words, uniformly, with the generator that is given.",
            "n개의 단어마다 1 … c 중 하나를 균등하게, 주어진 generator로 뽑습니다.",
        ),
        hints=(
            (
                "Both ends occur: 1 and c. Every word has a window of its own.",
                "양 끝인 1과 c도 나와야 합니다. 단어마다 따로 뽑습니다.",
            ),
            ("torch.randint leaves its upper end out.", "torch.randint는 위쪽 끝을 포함하지 않습니다."),
        ),
        mistakes={
            "pairs.windows_all_the_same": "식 1에는 -c ≤ j ≤ c라고 되어 있지만, 그러면 가까운 단어와 먼 단어의 비중이 같아집니다.",
            "pairs.windows_from_zero": "저자의 코드는 b = random % window를 뽑지만 window - b까지 갑니다.",
            "pairs.windows_without_the_last": "randint(1, c)는 1 … c처럼 보이지만 끝을 포함하지 않습니다.",
            "pairs.one_window_for_all": "한 번만 뽑으면 빠르지만, 단어마다 자신의 창이 있어야 합니다.",
        },
    ),
    Exercise(
        "word2vec.pairs.skip_gram_pairs",
        tests=(
            "test_pairs.py::test_equals_spec",
            "test_pairs.py::test_no_text_has_no_pairs",
            "test_pairs.py::test_pairs_come_in_the_order_of_their_distance",
        ),
        write=(
            "All pairs (w_t, w_{t+j}) of a text as two tensors, centres and contexts, near pairs before far ones. "
            "reach(text) says how far each word sees to its left and right.",
            "텍스트의 모든 쌍 (w_t, w_{t+j})를 중심과 문맥, 두 텐서로 반환합니다. 가까운 쌍이 먼저 옵니다. "
            "reach(text)는 각 단어가 왼쪽과 오른쪽으로 어디까지 보는지 알려 줍니다.",
        ),
        hints=(
            (
                "Go through the distances 1, 2, …; the window of the centre decides, not that of the context.",
                "거리 1, 2, …를 차례로 살펴보십시오. 문맥이 아니라 중심 단어의 창이 결정합니다.",
            ),
            (
                "For distance j, the centres are the positions with side >= j; their contexts are j places away.",
                "거리가 j이면 중심은 side >= j인 위치이고, 문맥은 거기서 j칸 떨어져 있습니다.",
            ),
            (
                "Begin each list with ids[:0], so that a text without pairs gives empty tensors of integers.",
                "각 리스트를 ids[:0]으로 시작하면 쌍이 없는 텍스트도 빈 정수 텐서가 됩니다.",
            ),
        ),
        mistakes={
            "pairs.across_sentences": "말뭉치는 단어의 흐름이지만, 문장의 마지막 단어는 오른쪽에 이웃이 없습니다.",
            "pairs.window_as_the_whole_span": "창 5는 모두 합해 다섯 단어가 아니라 양쪽으로 각각 다섯 단어입니다.",
            "pairs.repeated_words_skipped": "j ≠ 0은 위치에 대한 조건입니다. 같은 단어가 자신의 이웃일 수 있습니다.",
            "pairs.with_itself": "t-c … t+c에는 중심 자신도 들어 있지만, 자기 자리는 이웃이 아닙니다.",
            "pairs.window_of_the_context": "이웃은 서로이지만 중심 단어의 창이 기준입니다. 그래서 쌍이 거꾸로 나옵니다.",
        },
        hides=("word2vec.pairs.skip_gram_pairs_spec",),
    ),
    Exercise(
        "word2vec.similarity.three_cos_add",
        tests=("test_similarity.py::test_3cosadd_equals_loops",),
        write=(
            "cos(x, b) - cos(x, a) + cos(x, c) for every word x; a, b and c are ids of n questions.",
            "모든 단어 x에 대한 cos(x, b) - cos(x, a) + cos(x, c)입니다. a, b, c는 질문 n개의 단어 번호입니다.",
        ),
        hints=(
            (
                "Make all vectors unit vectors first, along the right axis.",
                "먼저 모든 벡터를 단위벡터로 만드십시오. 축을 잘 고르십시오.",
            ),
            (
                "A sum of cosines with the same x is one product: x with the sum of the three unit vectors.",
                "같은 x와의 코사인 합은 하나의 곱입니다. 세 단위벡터의 합과 x를 곱하면 됩니다.",
            ),
        ),
        mistakes={
            "similarity.direction_turned_round": "king - man + woman에서는 질문의 둘째 단어가 앞에 오지만, 여기서는 a를 뺍니다.",
            "similarity.without_unit_vectors": "논문은 vector(King) - vector(Man) + vector(Woman)이라고 쓰지만, 그러면 긴 벡터가 결과를 정합니다.",
        },
    ),
)
