"""Exercises of CLIP (Radford et al. 2021): the similarity, the loss, attention, the text encoder, zero-shot classes."""

from workbook.exercises import Exercise

ATTENTION, BLOCK, TEXT = (f"clip_mini.model.{name}.forward" for name in ("MultiHeadAttention", "Block", "TextEncoder"))

EXERCISES = (
    Exercise(
        "clip_mini.loss.pairwise_similarity",
        tests=(
            "test_loss.py::test_similarity_by_hand",
            "test_loss.py::test_lengths_do_not_matter",
            "test_loss.py::test_similarity_equals_torchs",
            "test_loss.py::test_gradient_by_the_scale",
        ),
        write=(
            "The matrix S of all cosine similarities, times e^log_scale: one row for each image, one column for each text.",
            "모든 코사인 유사도에 e^log_scale을 곱한 행렬 S입니다. 이미지마다 한 행, 텍스트마다 한 열입니다.",
        ),
        hints=(
            ("A cosine is the product of two vectors of unit length.", "코사인은 길이가 1인 두 벡터의 내적입니다."),
            (
                "normalize(…, dim=-1) gives each row the length 1; a product of matrices does all pairs at once.",
                "normalize(…, dim=-1)은 각 행의 길이를 1로 만듭니다. 행렬곱 한 번으로 모든 쌍을 계산합니다.",
            ),
        ),
        mistakes={
            "loss.no_normalisation": "내적도 유사도이지만, 그러면 긴 벡터가 모든 것과 가까워집니다.",
            "loss.normalised_over_the_batch": "dim=0도 실행은 되지만, 각 차원의 길이가 1이 될 뿐 벡터의 길이는 1이 아닙니다.",
            "loss.divided_by_the_scale": "온도는 나누지만, 그림 3에는 온도의 역수의 로그가 있으므로 곱해야 합니다.",
            "loss.the_scale_itself": "exp가 없으면 배율이 음수가 될 수 있고, 그러면 가까운 것이 먼 것이 됩니다.",
            "loss.texts_times_images": "손실은 대칭이지만, 이렇게 하면 i번째 행이 텍스트 i가 됩니다.",
        },
    ),
    Exercise(
        "clip_mini.loss.contrastive_loss",
        tests=(
            "test_loss.py::test_loss_by_hand[contrastive_loss]",
            "test_loss.py::test_loss_equals_its_spec",
            "test_loss.py::test_invariance",
            "test_loss.py::check_large_logits(contrastive_loss)",
            "test_loss.py::test_equal_captions_bound_the_loss",
        ),
        write=(
            "The mean of two cross-entropies: over the rows of the similarities and over their columns. Row i belongs to "
            "column i.",
            "두 교차 엔트로피의 평균입니다. 하나는 유사도의 행, 하나는 열에 대한 것입니다. i번째 행의 짝은 i번째 열입니다.",
        ),
        hints=(
            (
                "Each image is a classification among all texts. Which class is right for image i?",
                "이미지마다 모든 텍스트 중에서 하나를 고르는 분류 문제입니다. 이미지 i의 정답은 몇 번입니까?",
            ),
            (
                "For the other direction, do the same with the transposed matrix.",
                "반대 방향은 전치행렬에 같은 일을 하면 됩니다.",
            ),
            (
                "The labels are 0, 1, …, n - 1. cross_entropy takes the similarities as logits; do not apply softmax first.",
                "정답 번호는 0, 1, …, n - 1입니다. cross_entropy는 유사도를 로짓으로 받으므로 softmax를 먼저 쓰지 마십시오.",
            ),
        ),
        mistakes={
            "loss.one_direction_only": "보통의 교차 엔트로피이지만, 그러면 한 텍스트가 모든 이미지와 가장 가까울 수 있습니다.",
            "loss.columns_twice": "그림 3의 axis=0과 axis=1은 헷갈리기 쉽습니다. 한 방향은 전혀 학습되지 않습니다.",
            "loss.sum_of_both": "손실은 흔히 더하지만, 그러면 유사도가 모두 같을 때 2 ln n에서 시작합니다.",
            "loss.sum_over_the_batch": "가능도는 곱하지만, 그러면 학습률이 배치 크기에 따라 달라집니다.",
            "loss.softmax_twice": "확률을 내놓아야 할 것 같지만, cross_entropy는 로짓을 받아 스스로 softmax를 계산합니다.",
            "loss.one_softmax_over_all_pairs": "한 줄로 끝나지만, 배치의 쌍들이 서로 경쟁하게 됩니다.",
            "loss.without_the_own_pair": "자기 쌍은 반례가 아니지만, 분모에서 빼면 손실에 하한이 없어집니다.",
            "loss.probabilities_before_the_logarithm": "식을 그대로 쓴 것이지만, 로짓이 ±1000이면 e^S가 무한대입니다.",
        },
        hides=("clip_mini.loss.contrastive_loss_spec",),
    ),
    Exercise(
        "clip_mini.loss.contrastive_gradient",
        tests=("test_loss.py::test_gradient_by_hand", "test_loss.py::test_sums_of_the_gradient"),
        write=(
            "The closed form of the gradient: (P_row + P_col - 2I) / 2n.",
            "기울기의 닫힌 형태 (P_row + P_col - 2I) / 2n입니다.",
        ),
        hints=(
            (
                "The loss has two softmaxes. Look for both of them in the code.",
                "손실에는 softmax가 두 개 있습니다. 코드에서 둘 다 찾아보십시오.",
            ),
            (
                "P_row sums to 1 along each row, P_col along each column: which axes are these?",
                "P_row는 각 행의 합이, P_col은 각 열의 합이 1입니다. 각각 어느 축입니까?",
            ),
        ),
        mistakes={
            "loss.pushed_by_one_side": "softmax가 하나라면 대각선의 기울기는 p - 1이지만, 여기에는 softmax가 둘입니다."
        },
        plant=("similarity.softmax(dim=0)", "similarity.softmax(dim=1)", "loss.pushed_by_one_side"),
    ),
    Exercise(
        "clip_mini.model.attention_spec",
        tests=(
            "test_model.py::test_attention_by_hand",
            "test_model.py::test_weights_of_attention_sum_to_one",
            "test_model.py::test_attention_equals_torchs",
            "test_model.py::test_causal_attention_equals_torchs",
        ),
        write=(
            "softmax(Q Kᵀ / √d) V. Where allowed is given, position i must not look at j if allowed[i, j] is False.",
            "softmax(Q Kᵀ / √d) V입니다. allowed가 있고 allowed[i, j]가 False이면 위치 i는 j를 볼 수 없습니다.",
        ),
        hints=(
            (
                "First the scores: every query with every key, shape (n, heads, t, s).",
                "먼저 점수를 구합니다. 모든 질의와 모든 키의 내적이며 모양은 (n, heads, t, s)입니다.",
            ),
            (
                "A weight is zero after the softmax if its score is -∞ before it.",
                "softmax 앞에서 점수가 -∞이면 뒤에서 가중치가 0이 됩니다.",
            ),
            (
                "d is the last size of q. The weights of one query sum to 1: the softmax goes along the keys.",
                "d는 q의 마지막 크기입니다. 한 질의의 가중치 합이 1이므로 softmax는 키 방향으로 계산합니다.",
            ),
        ),
        mistakes={
            "model.divided_by_d": "평균처럼 d로 나누면 d = 64일 때 어텐션이 여덟 배나 평평하게 시작합니다.",
            "model.not_divided": "학습된 가중치가 대신할 수 있어 보이지만, softmax가 거의 one-hot으로 시작해 기울기가 작습니다.",
            "model.masked_with_zero": "0은 아무것도 아닌 듯하지만 e⁰ = 1이므로 미래를 여전히 봅니다.",
            "model.softmax_over_the_queries": "dim=-2도 위치의 축이지만, 그러면 한 질의의 가중치 합이 1이 아닙니다.",
            "model.mask_turned_round": "masked_fill과 torch의 불리언 마스크는 뜻이 서로 반대입니다.",
            "model.weights_after_the_mask": "가중치를 0으로 만들면 보지 않게 되지만, 남은 가중치의 합이 1이 아닙니다.",
        },
    ),
    Exercise(
        "clip_mini.model.QuickGELU.forward",
        tests=("test_model.py::test_quick_gelu_by_hand", "test_model.py::test_quick_gelu_is_near_gelu"),
        write=("x σ(1.702 x).", "x σ(1.702 x)입니다."),
        hints=(
            ("σ is the sigmoid.", "σ는 sigmoid입니다."),
            (
                "The sigmoid of 1.702 x is a soft switch: multiply x by it.",
                "1.702 x의 sigmoid는 부드러운 스위치입니다. 여기에 x를 곱하십시오.",
            ),
        ),
    ),
    Exercise(
        ATTENTION,
        tests=("test_model.py::test_heads_equal_torchs",),
        write=(
            "Self-attention of several heads. project_in gives q, then k, then v; each head owns d neighbouring numbers. Each "
            "head attends alone (causal: not to later positions); put the heads side by side again, then project_out.",
            "여러 헤드의 셀프 어텐션입니다. project_in은 q, k, v를 차례로 내놓고, 헤드마다 연속한 d개의 수를 가집니다. 헤드별로 "
            "어텐션을 계산하고(causal이면 뒤의 위치를 보지 않음) 헤드를 다시 나란히 붙인 다음 project_out을 적용합니다.",
        ),
        hints=(
            (
                "Shapes tell the way: (n, t, 3 width) → three times (n, heads, t, d) → (n, t, width).",
                "모양을 따라가십시오. (n, t, 3 width) → (n, heads, t, d) 세 개 → (n, t, width).",
            ),
            (
                "Split the last axis with view into (3, heads, d), then bring the axes into order with permute.",
                "view로 마지막 축을 (3, heads, d)로 나누고, permute로 축의 순서를 맞추십시오.",
            ),
            (
                "scaled_dot_product_attention does the attention of each head. Swap heads and positions back before you reshape.",
                "scaled_dot_product_attention이 헤드마다 어텐션을 계산합니다. reshape 앞에서 헤드와 위치를 다시 바꾸십시오.",
            ),
        ),
        mistakes={
            "model.heads_without_transpose": "view(n, heads, t, d)도 모양은 맞지만, 헤드에 여러 위치의 조각이 섞입니다.",
            "model.heads_before_query_key_value": "학습은 되지만, 공개된 가중치에는 모든 헤드의 q, 그다음 k, 그다음 v가 있습니다.",
            "model.every_other_number_a_head": "d와 헤드는 한 view의 두 축이지만, 헤드 h는 연속한 d개의 수를 가져야 합니다.",
            "model.divided_by_the_root_of_the_width": "식 1의 d_k는 모델의 폭이 아니라 헤드의 차원 width / heads입니다.",
            "model.mask_one_too_wide": "tril(1)은 1부터 세는 듯하지만, 각 위치가 다음 단어를 보게 됩니다.",
            "model.mask_forgotten": "causal이 거짓이면 맞지만, 참이면 각 위치가 뒤의 단어를 보면 안 됩니다.",
            "model.mask_to_the_wrong_side": "triu와 tril은 비슷해 보입니다. 그러면 각 위치가 미래만 봅니다.",
            "model.heads_merged_without_transpose": "reshape는 불평하지 않지만, 위치와 헤드가 뒤섞입니다.",
        },
    ),
    Exercise(
        BLOCK,
        tests=("test_model.py::test_block_equals_torchs",),
        write=(
            "x + A(LN(x)), then the same with the MLP: a layer norm before each part, and a sum after it.",
            "x + A(LN(x)), 그다음 MLP로 같은 일을 합니다. 각 부분의 앞에 layer norm, 뒤에 덧셈이 있습니다.",
        ),
        hints=(
            (
                "Two lines: one for self.attention with self.norm1, one for self.mlp with self.norm2.",
                "두 줄입니다. 한 줄은 self.norm1과 self.attention, 한 줄은 self.norm2와 self.mlp입니다.",
            ),
            (
                "What is added to is the vector that was not normed. The MLP reads what the attention has added.",
                "norm을 거치지 않은 벡터에 더합니다. MLP는 어텐션의 결과가 더해진 값을 읽습니다.",
            ),
        ),
        mistakes={
            "model.norm_after_the_sum": "최초의 Transformer는 그랬지만, GPT-2와 CLIP은 각 부분의 앞에 norm이 있습니다.",
            "model.normed_residual": "x = norm(x)가 더 짧지만, norm을 거치지 않은 벡터에 더해야 합니다.",
            "model.both_parts_at_once": "더 빠르고 나중의 모델에는 있지만, 여기서 MLP는 어텐션이 더한 결과를 읽습니다.",
        },
        needs=(ATTENTION,),
    ),
    Exercise(
        TEXT,
        tests=(
            "test_model.py::test_text_is_read_at_its_first_end",
            "test_model.py::test_padding_and_words_behind_the_end_change_nothing",
            "test_model.py::test_words_and_their_order_matter",
        ),
        write=(
            "Embed the token ids, add the position vectors, run the causal Transformer and the norm, and return the vector "
            "at the first end token of each text.",
            "토큰 번호를 임베딩하고 위치 벡터를 더합니다. 인과적 Transformer와 norm을 거친 다음, 각 텍스트의 첫 종료 토큰 "
            "위치의 벡터를 반환합니다.",
        ),
        hints=(
            (
                "t may be shorter than the context: take the first t position vectors.",
                "t가 최대 길이보다 짧을 수 있습니다. 처음 t개의 위치 벡터만 쓰십시오.",
            ),
            (
                "self.place_of_end(texts) gives one place for each text; the row numbers are 0 … n - 1.",
                "self.place_of_end(texts)는 텍스트마다 위치를 하나 줍니다. 행 번호는 0 … n - 1입니다.",
            ),
            ("x[rows, places] picks one vector from each row.", "x[rows, places]는 각 행에서 벡터를 하나씩 고릅니다."),
        ),
        mistakes={
            "model.read_at_the_last_position": "x[:, -1]이 간단하지만, 패딩이 있으면 그 위치는 패딩입니다.",
            "model.read_at_the_last_end": "뒤에서 찾아도 종료 토큰을 찾지만, 텍스트는 첫 종료 토큰에서 끝납니다.",
            "model.read_before_the_end": "마지막 단어가 말한 내용이지만, 요약하도록 학습되는 것은 종료 토큰입니다.",
            "model.read_at_the_start": "BERT는 그렇게 하지만, 인과적 어텐션에서는 시작 토큰이 자신만 봅니다.",
            "model.read_at_the_largest_id": "저자의 코드가 그렇지만, 종료 토큰의 번호가 가장 클 때만 맞습니다.",
            "model.mean_over_the_padding": "mean(dim=1)은 위치가 필요 없지만, 텍스트의 벡터가 배치에서 가장 긴 텍스트에 따라 달라집니다.",
            "model.attention_to_all": "텍스트 전체를 알고 있지만, 그러면 패딩을 가려야 하는데 가리지 않습니다.",
            "model.positions_from_one": "RoBERTa는 그렇게 세지만, 첫 위치 벡터가 전혀 쓰이지 않습니다.",
        },
        needs=(ATTENTION, BLOCK),
    ),
    Exercise(
        "clip_mini.model.CLIP.encode_image",
        tests=("test_model.py::test_embeddings_by_hand",),
        write=(
            "The image encoder, then the projection into the common space, then unit length.",
            "이미지 인코더, 공통 공간으로의 사영, 단위 길이로 만들기를 차례로 적용합니다.",
        ),
        hints=(
            (
                "The parts are attributes: self.image_encoder and self.image_projection.",
                "필요한 부분은 self.image_encoder와 self.image_projection입니다.",
            ),
            ("encode_text below does the same for texts.", "아래의 encode_text가 텍스트에 대해 같은 일을 합니다."),
        ),
        needs=(ATTENTION, BLOCK, TEXT),
    ),
    Exercise(
        "clip_mini.zero_shot.class_embeddings",
        tests=(
            "test_zero_shot.py::test_class_embedding_by_hand",
            "test_zero_shot.py::test_class_embedding_is_the_nearest_unit_vector",
        ),
        write=(
            "One unit vector for each class: the direction of the mean of the embeddings of its prompts.",
            "클래스마다 단위벡터 하나입니다. 그 클래스의 프롬프트 임베딩들의 평균이 가리키는 방향입니다.",
        ),
        hints=(
            (
                "encode turns the prompts of a class into token ids, encode_text turns ids into vectors.",
                "encode는 한 클래스의 프롬프트를 토큰 번호로, encode_text는 번호를 벡터로 바꿉니다.",
            ),
            (
                "Classes may have different numbers of prompts: take the mean class by class, then stack.",
                "클래스마다 프롬프트 수가 다를 수 있습니다. 클래스별로 평균을 낸 다음 쌓으십시오.",
            ),
            (
                "A mean of unit vectors is shorter than 1: scale it to length 1 again.",
                "단위벡터의 평균은 길이가 1보다 짧습니다. 다시 길이 1로 만드십시오.",
            ),
        ),
        mistakes={
            "zero_shot.not_normalised_again": "각 임베딩의 길이는 1이지만 평균은 더 짧습니다. 프롬프트가 다양한 클래스가 너무 적게 선택됩니다.",
            "zero_shot.first_prompt_only": "이름은 하나의 텍스트이지만, 논문은 여러 프롬프트를 모아 ImageNet에서 3.5%를 얻었습니다.",
            "zero_shot.largest_in_each_dimension": "가장 좋은 프롬프트를 고르는 듯하지만, 서로 다른 프롬프트의 수를 모은 것은 방향이 아닙니다.",
            "zero_shot.normalised_over_the_classes": "dim=0도 실행은 되지만, 어떤 클래스도 길이가 1이 아닙니다.",
        },
    ),
    Exercise(
        "clip_mini.zero_shot.classify",
        tests=(
            "test_zero_shot.py::test_classify_by_hand",
            "test_zero_shot.py::test_the_scale_changes_probabilities_and_not_the_choice",
        ),
        write=(
            "The probability of each class for each image: a softmax of the scaled cosines.",
            "이미지마다 각 클래스의 확률입니다. 배율을 곱한 코사인의 softmax입니다.",
        ),
        hints=(
            ("Both sides are unit vectors already.", "양쪽 모두 이미 단위벡터입니다."),
            (
                "The scale is e^log_scale. The probabilities of one image sum to 1.",
                "배율은 e^log_scale입니다. 한 이미지의 확률을 모두 더하면 1입니다.",
            ),
        ),
        mistakes={
            "zero_shot.softmax_over_the_images": "학습에는 두 방향이 있지만, 그러면 이미지가 하나일 때 모든 클래스의 확률이 1이 됩니다.",
            "zero_shot.without_the_scale": "가장 가까운 클래스는 같지만, 코사인은 ±1 안에 있어 모든 확률이 비슷해집니다.",
            "zero_shot.one_sigmoid_a_class": "클래스마다 예/아니요로 볼 수도 있지만, 하나만 옳은 클래스들의 확률은 합이 1입니다.",
        },
    ),
)
