"""Exercises of conditional GANs (Goodfellow et al. 2014; Mirza & Osindero 2014; Reed et al. 2016): losses and players."""

from workbook.exercises import Exercise

OPTIMAL = "cgan.theory.optimal_discriminator"
SENTENCES = "cgan.text_encoder.SentenceEncoder.forward"

EXERCISES = (
    Exercise(
        OPTIMAL,
        tests=("test_theory.py::test_no_discriminator_is_better", "test_theory.py::test_no_gradient_at_the_optimum"),
        write=(
            "Equation 2: the best discriminator against a fixed generator, from the probabilities p and q of each thing.",
            "식 2: 고정된 생성기에 대한 최적 판별기를 각 대상의 확률 p와 q로부터 구합니다.",
        ),
        hints=(
            (
                "D(x) is the probability that x is real, if real and fake come equally often.",
                "D(x)는 진짜와 가짜가 똑같이 자주 올 때 x가 진짜일 확률입니다.",
            ),
            (
                "Of all things x, p is the real share; both together are p + q.",
                "모든 x 중에서 진짜의 몫이 p이고, 둘을 합하면 p + q입니다.",
            ),
        ),
        mistakes={
            "loss.ratio": "밀도비이지만, 이것은 최적 판별기의 D / (1 - D)입니다.",
            "loss.of_the_generator": "식이 대칭이라 헷갈리지만, 이것은 가짜일 확률입니다.",
        },
    ),
    Exercise(
        "cgan.theory.jensen_shannon",
        tests=("test_theory.py::test_divergence_by_hand", "test_theory.py::test_divergence_equals_scipy"),
        write=(
            "The Jensen-Shannon divergence of p and q in nats, from 0 to ln 2: the entropy of the mixture minus the mean entropy "
            "of p and q. A probability of 0 is allowed.",
            "p와 q의 옌센-섀넌 발산(내트 단위, 0에서 ln 2까지)입니다. 혼합의 엔트로피에서 p와 q의 엔트로피의 평균을 뺍니다. 확률 "
            "0도 허용됩니다.",
        ),
        hints=(
            ("The mixture is (p + q)/2, with the half.", "혼합은 (p + q)/2입니다. 절반을 잊지 마십시오."),
            (
                "torch.special.entr computes -x ln x, and is 0 at x = 0.",
                "torch.special.entr는 -x ln x를 계산하며 x = 0에서 0입니다.",
            ),
        ),
        mistakes={
            "loss.kullback_leibler": "최대가능도가 줄이는 값이지만, 대칭이 아니며 무한대가 될 수 있습니다.",
            "loss.without_the_halves": "식 5의 두 발산에는 절반이 없습니다. 그 합은 JSD의 두 배입니다.",
            "loss.of_the_sum": "D*에는 절반 없이 p + q가 있지만, 혼합은 (p + q)/2입니다.",
        },
    ),
    Exercise(
        "cgan.loss.value",
        tests=(
            "test_loss.py::check_sure_discriminator(value)",
            "test_loss.py::test_value_by_hand",
            "test_loss.py::test_value_in_probabilities",
        ),
        write=(
            "Equation 1: V = E[log D(x)] + E[log(1 - D(G(z)))], from logits. It must stay finite for logits of ±200.",
            "식 1: 로짓으로부터 구한 V = E[log D(x)] + E[log(1 - D(G(z)))]입니다. 로짓이 ±200이어도 유한해야 합니다.",
        ),
        hints=(
            ("D = σ(a) for a logit a. What is 1 - σ(a)?", "로짓 a에 대해 D = σ(a)입니다. 1 - σ(a)는 무엇입니까?"),
            (
                "1 - σ(a) = σ(-a), and logsigmoid computes ln σ without overflow. Each batch has its own mean.",
                "1 - σ(a) = σ(-a)이며, logsigmoid는 ln σ를 안전하게 계산합니다. 두 배치는 따로 평균을 냅니다.",
            ),
        ),
        mistakes={
            "loss.value_of_logits_as_probabilities": "식에는 log D(x)가 있고 신경망은 D를 내놓는 듯하지만, 여기서는 로짓입니다.",
            "loss.both_called_real": "한 줄로 둘 다 처리하지만, 가짜에는 1 - D, 곧 음의 로짓의 σ가 필요합니다.",
            "loss.labels_exchanged": "0과 1은 이름일 뿐이지만, 그러면 판별기가 가짜를 진짜라고 배웁니다.",
            "loss.one_mean_of_all": "모두를 한 배치로 하면 두 기댓값의 비중이 개수에 따라 달라집니다.",
            "loss.clamped_value": "log 0은 피하지만, 잘린 곳에서는 기울기가 사라집니다. 가장 필요한 곳입니다.",
        },
        hides=("cgan.loss.value_spec",),
    ),
    Exercise(
        "cgan.loss.non_saturating_loss",
        tests=(
            "test_loss.py::test_non_saturating_in_probabilities",
            "test_loss.py::check_saturation(non_saturating_loss)",
        ),
        write=(
            "Section 3: what the generator makes small, -E[log D(G(z))], from the logits of its fakes.",
            "3절: 생성기가 작게 만드는 값 -E[log D(G(z))]를 가짜의 로짓으로부터 구합니다.",
        ),
        hints=(
            (
                "The generator wants D(G(z)) to be large. An optimizer makes a loss small.",
                "생성기는 D(G(z))를 크게 만들려고 합니다. 최적화기는 손실을 작게 만듭니다.",
            ),
            (
                "It is the discriminator's term for real samples, of the fakes, with a minus.",
                "판별기의 진짜에 대한 항을 가짜에 적용하고 음의 부호를 붙인 것입니다.",
            ),
        ),
        mistakes={
            "loss.minimax_in_its_place": "식 1에 있는 형태이지만, 좋은 판별기에 대해서는 생성기가 기울기를 얻지 못합니다.",
            "loss.sign_forgotten": "논문은 log D(G(z))를 최대화하라고 하지만, 최적화기는 손실을 작게 만듭니다.",
            "loss.sum_in_place_of_mean": "합도 되지만, 그러면 학습률이 배치 크기에 따라 달라집니다.",
        },
        hides=("cgan.loss.non_saturating_loss_spec",),
    ),
    Exercise(
        "cgan.loss.matching_aware_value",
        tests=("test_text_to_image.py::test_value_by_hand", "test_text_to_image.py::test_value_in_probabilities"),
        write=(
            "GAN-CLS: log s_r + ½ (log(1 - s_w) + log(1 - s_f)), from logits.",
            "GAN-CLS: 로짓으로부터 구한 log s_r + ½ (log(1 - s_w) + log(1 - s_f))입니다.",
        ),
        hints=(
            (
                "Count the pairs that are refused, and what each of them weighs in the formula.",
                "거부하는 쌍이 몇 가지이며, 식에서 각각의 비중이 얼마인지 세어 보십시오.",
            ),
            (
                "Both kinds of wrong pairs weigh a half, the real pairs one.",
                "두 종류의 틀린 쌍은 비중이 ½씩이고, 진짜 쌍은 1입니다.",
            ),
        ),
        mistakes={
            "text.half_forgotten": "세 항이 하나의 합이지만, 그러면 거부할 두 쌍의 비중이 하나의 두 배가 됩니다.",
            "text.wrong_pairs_accepted": "틀린 쌍의 그림은 진짜이지만, 그러면 D가 문장을 읽을 필요가 없습니다.",
            "text.half_of_everything": "½은 식의 끝이 아니라 틀린 쌍에만 있습니다.",
            "text.wrong_pairs_left_out": "익숙한 게임이지만, 문장이 맞는지 판별기가 배우지 못합니다.",
            "text.one_mean_of_both": "둘 다 거부하지만, 가짜가 더 많으면 각각 절반이 되지 않습니다.",
        },
        plant=("-fake).mean()) / 2", "-fake).mean())", "text.half_forgotten"),
    ),
    Exercise(
        "cgan.model.MLPGenerator.forward",
        tests=("test_model.py::test_generator_in_loops",),
        write=(
            "G(z | y): a layer for the noise and one for the label, each with a ReLU, side by side in this order; then the joint "
            "layer with a ReLU, then the output.",
            "G(z | y)입니다. 노이즈와 레이블의 층에 각각 ReLU를 적용해 이 순서로 나란히 붙이고, 공동 층과 ReLU, 출력층을 차례로 적용합니다.",
        ),
        hints=(
            (
                "The layers are from_noise, from_label, joint and output.",
                "층은 from_noise, from_label, joint, output입니다.",
            ),
            (
                "torch.cat along dim=1. The output has no ReLU: a sample may be negative.",
                "torch.cat은 dim=1을 따라 붙입니다. 표본은 음수일 수 있으므로 출력에는 ReLU가 없습니다.",
            ),
        ),
    ),
    Exercise(
        "cgan.model.MLPDiscriminator.forward",
        tests=("test_model.py::test_discriminator_in_loops", "test_model.py::test_a_batch_of_one_keeps_its_axis"),
        write=(
            "The logit of D(x | y), shape (n,): a layer for the sample and one for the label, side by side in this order, then the "
            "joint layer, each with leaky; then the output.",
            "D(x | y)의 로짓이며 모양은 (n,)입니다. 표본과 레이블의 층에 각각 leaky를 적용해 이 순서로 나란히 붙입니다. 공동 층에도 leaky를 "
            "적용하고, 마지막에 출력층이 있습니다.",
        ),
        hints=(
            (
                "leaky, above in the file, is the activation. A logit is no probability: no sigmoid.",
                "활성화 함수는 파일 위쪽의 leaky입니다. 로짓은 확률이 아니므로 sigmoid를 쓰지 않습니다.",
            ),
            (
                "The output has the shape (n, 1). Take the last axis away so that a batch of one stays a batch.",
                "출력의 모양은 (n, 1)입니다. 표본이 하나인 배치도 배치로 남도록 마지막 축만 없애십시오.",
            ),
        ),
    ),
    Exercise(
        "cgan.text_encoder.joint_embedding_loss",
        tests=(
            "test_text_encoder.py::test_loss_by_hand",
            "test_text_encoder.py::test_loss_in_loops",
            "test_text_encoder.py::check_loss(joint_embedding_loss, 5, 0)",
        ),
        write=(
            "Equation 2 with hinges, s = scores. Picture n: the mean of max(0, 1 + s_nj - s_nn) over the sentences j that are false "
            "of it. Sentence n: the mean of max(0, 1 + s_jn - s_nn) over the pictures j of which it is false. Add both; take the "
            "mean over n. A mean over no pair is 0.",
            "힌지를 쓴 식 2이며 s는 scores입니다. 그림 n에 대해, 거짓인 문장 j에 대한 max(0, 1 + s_nj - s_nn)의 평균을 구합니다. 문장 "
            "n에 대해, 그 문장이 거짓인 그림 j에 대한 max(0, 1 + s_jn - s_nn)의 평균을 구합니다. 둘을 더해 n에 대한 평균을 냅니다. 쌍이 "
            "없는 평균은 0입니다.",
        ),
        hints=(
            (
                "The own scores are the diagonal. For rows subtract it as a column, for columns as a row.",
                "자기 점수는 대각선입니다. 행에 대해서는 열벡터로, 열에 대해서는 행벡터로 빼십시오.",
            ),
            (
                "Multiply with the mask of false pairs, sum, and divide by how many there are, at least 1.",
                "거짓인 쌍의 마스크를 곱해 더하고, 그 개수(최소 1)로 나누십시오.",
            ),
        ),
        mistakes={
            "text.true_pairs_punished": "대각선만 배치의 쌍이지만, '별'은 여러 그림에 대해 참입니다.",
            "text.sentences_alone": "이것만으로도 학습되지만, 식 2에서는 그림도 문장도 분류합니다.",
            "text.no_margin": "맞는 쌍이 이기기만 하면 될 듯하지만, 그러면 모든 점수가 같은 인코더가 완벽합니다.",
            "text.axes_exchanged": "두 항이 비슷해 보이지만, 무엇이 참인지의 행렬은 대칭이 아닙니다.",
            "text.own_score_of_the_row": "한 번만 빼면 될 것 같지만, 문장 n의 자기 점수는 n번째 열에 있습니다.",
        },
    ),
    Exercise(
        SENTENCES,
        tests=(
            "test_text_encoder.py::test_encoder_word_by_word",
            "test_text_encoder.py::test_a_sentence_is_its_own",
            "test_text_encoder.py::test_order_counts",
        ),
        write=(
            "φ(t): embed the ids, read them with the GRU up to the last word (PAD is never read), then output and norm.",
            "φ(t)입니다. 번호를 임베딩하고 GRU로 마지막 단어까지 읽습니다(PAD는 읽지 않음). 그다음 output과 norm을 적용합니다.",
        ),
        hints=(
            (
                "pack_padded_sequence takes the lengths, on the CPU; the sentences are in no order.",
                "pack_padded_sequence는 CPU에 있는 길이를 받습니다. 문장은 길이순이 아닙니다.",
            ),
            (
                "A GRU returns (outputs, last); last has one more axis, for the layers.",
                "GRU는 (출력, 마지막 상태)를 반환합니다. 마지막 상태에는 층을 위한 축이 하나 더 있습니다.",
            ),
        ),
        mistakes={
            "text.padding_read": "배치는 직사각형이지만, PAD까지 읽으면 문장의 벡터가 옆의 가장 긴 문장에 따라 달라집니다.",
            "text.bag_of_words": "문장이 단어의 목록처럼 보이지만, 그러면 단어의 순서를 알 수 없습니다.",
        },
    ),
)
