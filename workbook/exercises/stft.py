"""Exercises of the STFT (Allen & Rabiner 1977; Griffin & Lim 1984): window, DFT, frames, STFT and back, decibels, DCT."""

from workbook.exercises import Exercise

HANN, DFT, FRAME = "stft.windows.hann", "stft.fourier.dft", "stft.transform.frame"
ADD, IRFFT = "stft.transform.overlap_add", "stft.fourier.irfft"

EXERCISES = (
    Exercise(
        HANN,
        tests=tuple(f"test_windows.py::check_equals_scipy(hann, 'hann', {n})" for n in (1, 2, 7, 8)),
        write=(
            "Hann's window of n samples, ½ - ½ cos(2πm/N): N = n if periodic, else n - 1. For n = 1 it is 1. cosine_sum, "
            "above, does sums of cosines.",
            "표본 n개의 한(Hann) 창 ½ - ½ cos(2πm/N)입니다. periodic이면 N = n, 아니면 n - 1입니다. n = 1이면 1입니다. 위의 "
            "cosine_sum이 코사인의 합을 계산합니다.",
        ),
        hints=(
            (
                "cosine_sum takes the coefficients a_0, a_1, …; the signs alternate by themselves.",
                "cosine_sum은 계수 a_0, a_1, …을 받습니다. 부호는 저절로 번갈아 바뀝니다.",
            ),
            (
                "Both coefficients are ½. Hand on n, periodic and dtype.",
                "두 계수 모두 ½입니다. n, periodic, dtype을 그대로 넘기십시오.",
            ),
        ),
        mistakes={
            "windows.always_symmetric": "numpy와 교과서의 창이지만, 복사본을 더해도 상수가 되지 않습니다.",
            "windows.sine_not_squared": "비슷해 보이는 사인 창입니다. 한(Hann) 창은 그 제곱입니다.",
            "windows.signs_forgotten": "코사인의 합이라는 말에는 음의 부호가 없지만, 이렇게 하면 양 끝이 최댓값이 됩니다.",
        },
    ),
    Exercise(
        DFT,
        tests=(
            "test_fourier.py::test_by_hand[dft]",
            "test_fourier.py::check_transform(dft, 6)",
            "test_fourier.py::check_transform(dft, 67)",
            "test_fourier.py::check_real_input(dft, 6)",
            "test_fourier.py::check_float32(dft)",
        ),
        write=(
            "X_k = Σ_m x_m W_n^(mk) as one product with the dft_matrix; x may be real or complex.",
            "X_k = Σ_m x_m W_n^(mk)를 dft_matrix와의 곱으로 계산합니다. x는 실수일 수도 복소수일 수도 있습니다.",
        ),
        hints=(
            (
                "as_complex (at the end of the file) makes x complex and checks it.",
                "파일 끝의 as_complex가 x를 복소수로 바꾸고 검사합니다.",
            ),
            (
                "dft_matrix(n, x) has row m and column k. x is the row vector on its left.",
                "dft_matrix(n, x)의 행은 m, 열은 k입니다. x는 왼쪽에서 곱하는 행벡터입니다.",
            ),
        ),
        mistakes={
            "fourier.turning_the_other_way": "교과서의 진동은 e^{iωt}이지만, 변환에서는 그 켤레를 곱합니다.",
            "fourier.divided_by_n": "평균이 자연스러워 보이지만, 관례상 1/n은 역변환에 있습니다.",
            "fourier.angles_in_float32": "x가 float32라서 그렇게 하기 쉽지만, 각도 2πkm/n의 자릿수가 사라집니다. km을 먼저 n으로 나눈 나머지로 바꾸십시오.",
            "fourier.padded_to_a_power_of_two": "FFT에는 2의 거듭제곱이 필요하다고들 하지만, 뒤에 0을 붙이면 다른 주파수가 됩니다.",
            "fourier.detached_matrix_product": "값은 맞지만, numpy를 거치면 기울기가 흐르지 않습니다.",
        },
        hides=("stft.fourier.dft_spec",),
    ),
    Exercise(
        IRFFT,
        tests=(
            "test_fourier.py::check_inverse_real(irfft, 6)",
            "test_fourier.py::check_inverse_real(irfft, 7, (2,))",
            "test_fourier.py::check_inverse_real(irfft, 1)",
        ),
        write=(
            "The n real samples whose bins 0 to ⌊n/2⌋ are given. ifft wants all n bins: the others mirror these. The errors "
            "(ValueError) are not judged.",
            "0번부터 ⌊n/2⌋번까지의 빈이 주어진 실수 표본 n개입니다. ifft에는 빈 n개가 모두 필요합니다. 나머지는 거울상입니다. "
            "오류(ValueError)는 채점하지 않습니다.",
        ),
        hints=(
            (
                "X_(n-k) is the conjugate of X_k. Which bins have no partner? Bin 0, and n/2 for an even n.",
                "X_(n-k)는 X_k의 켤레입니다. 짝이 없는 빈은 0번이고, n이 짝수이면 n/2번도 그렇습니다.",
            ),
            (
                "The bins 1 to (n - 1)//2, flipped and conjugated, go behind the given ones.",
                "1번부터 (n - 1)//2번까지의 빈을 뒤집고 켤레를 취해 뒤에 붙이십시오.",
            ),
            ("Take the real part of ifft at the end.", "마지막에 ifft 결과의 실수부를 취하십시오."),
        ),
        mistakes={
            "fourier.half_is_enough": "실수부는 맞아 보이지만, 0번과 n/2번이 아닌 빈에는 거울상도 더해야 합니다.",
            "fourier.last_bin_mirrored_too": "n이 홀수이면 맞지만, 짝수이면 n/2번 빈은 자신의 거울상입니다.",
            "fourier.mirrored_without_the_conjugate": "크기는 대칭이지만 위상은 부호가 바뀝니다.",
        },
        hides=("stft.fourier.mirrored",),
        needs=(DFT,),
    ),
    Exercise(
        FRAME,
        tests=("test_transform.py::test_frames_by_hand",),
        write=(
            "Frame t holds the samples tH … tH + n - 1, as a view. The checks of the arguments: check_at_least_1 for both "
            "lengths, and ValueError for a waveform shorter than one frame.",
            "t번째 프레임은 표본 tH … tH + n - 1이며 뷰(view)여야 합니다. check_at_least_1로 두 길이를 검사하고, 파형이 한 프레임보다 "
            "짧으면 ValueError를 냅니다.",
        ),
        hints=(
            ("A view shares memory: no loop and no copy.", "뷰는 메모리를 공유합니다. 반복문도 복사도 필요 없습니다."),
            (
                "torch's unfold cuts a dimension into overlapping windows.",
                "torch의 unfold는 한 차원을 겹치는 창으로 자릅니다.",
            ),
        ),
    ),
    Exercise(
        ADD,
        tests=(
            "test_transform.py::test_overlap_add_by_hand",
            "test_transform.py::test_overlap_add_is_the_transpose_of_frame",
        ),
        write=(
            "y_s = Σ_t f_(t, s-tH): each frame is added at its place; the result has (frames - 1) H + n samples.",
            "y_s = Σ_t f_(t, s-tH)입니다. 각 프레임을 제자리에 더합니다. 결과의 길이는 (프레임 수 - 1) H + n입니다.",
        ),
        hints=(
            (
                "A loop over the frames is right, and simple: begin with zeros.",
                "프레임에 대한 반복문이면 충분합니다. 0에서 시작하십시오.",
            ),
            (
                "new_zeros(*batch, length) keeps the dtype. Add frame t to the slice that begins at t · hop_length.",
                "new_zeros(*batch, 길이)는 dtype을 지킵니다. t번째 프레임을 t · hop_length에서 시작하는 구간에 더하십시오.",
            ),
        ),
        needs=(FRAME,),
    ),
    Exercise(
        "stft.transform.stft",
        tests=(
            "test_transform.py::test_stft_by_hand",
            "test_transform.py::test_equals_the_spec",
            "test_transform.py::test_stft_equals_torch",
        ),
        write=(
            "Pad both ends by n // 2 if center, cut into frames, multiply with the window, transform, and put the bins "
            "before the frames.",
            "center이면 양 끝에 n // 2씩 채우고, 프레임으로 자르고, 창을 곱하고, 변환한 다음, 빈 축을 프레임 축 앞에 둡니다.",
        ),
        hints=(
            (
                "pad_ends, frame and rfft do the steps; the window has as many samples as a frame.",
                "pad_ends, frame, rfft가 각 단계를 해 줍니다. 창의 표본 수는 한 프레임의 표본 수와 같습니다.",
            ),
            ("The window is applied to samples, so before the transform.", "창은 표본에 곱하므로 변환보다 먼저입니다."),
            (
                "rfft gives (frames, bins): transpose the last two dimensions.",
                "rfft의 결과는 (프레임, 빈)입니다. 마지막 두 차원을 바꾸십시오.",
            ),
        ),
        mistakes={
            "transform.window_after_the_transform": "창을 프레임에 적용하라는 말에는 시점이 없지만, 빈은 표본이 아닙니다.",
            "transform.no_window": "프레임을 자르는 데 창이 필요 없어 보이지만, 그냥 자르면 사각 창이 되어 누설이 생깁니다.",
            "transform.never_centred": "정의에는 채우기가 없지만, 그러면 처음과 마지막 표본이 거의 반영되지 않습니다.",
            "transform.edge_mirrored_twice": "거울이라고 하면 그럴듯하지만, reflect는 끝 표본을 반복하지 않습니다.",
            "transform.frames_first": "계산은 (프레임, 빈)으로 하지만 결과는 (빈, 프레임)이어야 합니다.",
            "transform.window_moved_by_the_hop": "창이 소리 위를 미끄러진다고 하지만, 프레임에서 보면 움직이지 않습니다.",
            "transform.one_frame_too_few": "표본 100개에 간격 10이면 10프레임 같지만, 시작과 끝에 모두 프레임이 있습니다.",
        },
        hides=("stft.transform.stft_spec", "stft.extensions.fast.stft"),
        needs=(HANN, DFT, FRAME),
    ),
    Exercise(
        "stft.transform.istft",
        tests=("test_transform.py::test_istft_by_hand", "test_transform.py::test_istft_equals_torch"),
        write=(
            "Griffin & Lim's equation (6): overlap-add the frames times the window, divide by the overlap-added squares of "
            "the window. known_samples says which samples to return.",
            "Griffin과 Lim의 식 (6)입니다. 창을 곱한 프레임을 겹쳐 더하고, 창의 제곱을 겹쳐 더한 값으로 나눕니다. 반환할 표본은 "
            "known_samples가 알려 줍니다.",
        ),
        hints=(
            (
                "irfft wants the bins last: transpose first. Then multiply each frame by the window once more.",
                "irfft에는 빈 축이 마지막이어야 하므로 먼저 전치하십시오. 그다음 각 프레임에 창을 한 번 더 곱하십시오.",
            ),
            (
                "The denominator is the overlap_add of window², expanded to as many frames.",
                "분모는 window²을 프레임 수만큼 늘려 overlap_add한 것입니다.",
            ),
            (
                "known_samples takes the denominator and the options, and gives a slice: index both sums with it.",
                "known_samples에 분모와 옵션을 넘기면 슬라이스가 나옵니다. 두 합을 모두 이것으로 인덱싱하십시오.",
            ),
        ),
        mistakes={
            "transform.frames_added_and_divided_by_the_window": "바꾸지 않은 STFT는 되돌리지만, 바꾼 STFT에 대해서는 가장 가까운 소리가 아닙니다.",
            "transform.envelope_not_squared": "STFT에는 창이 하나지만 역변환에 하나가 더 있으므로 제곱으로 나누어야 합니다.",
            "transform.envelope_forgotten": "한(Hann) 창의 복사본은 더하면 상수가 되지만, 제곱은 일부 간격에서만 그렇습니다.",
            "transform.half_a_frame_left_at_the_front": "center는 STFT에만 필요해 보이지만, 그러면 소리가 반 프레임 늦게 나옵니다.",
        },
        hides=("stft.extensions.fast.istft",),
        needs=(HANN, DFT, ADD, IRFFT),
    ),
    Exercise(
        "stft.mel.decibels",
        tests=(
            "test_mel.py::test_decibels_equal_torchaudio",
            "test_mel.py::test_decibels_by_hand",
            "test_mel.py::test_top_db_by_hand",
        ),
        write=(
            "Decibels of powers or of magnitudes, with a floor top_db below the loudest.",
            "파워 또는 크기의 데시벨입니다. 가장 큰 값보다 top_db 낮은 곳이 바닥입니다.",
        ),
        hints=(
            ("Which of the two kinds of input gives a wrong level?", "두 종류의 입력 중 어느 쪽의 값이 틀립니까?"),
            (
                "A magnitude must be squared before 10 log₁₀: what does the square become outside the logarithm?",
                "크기는 10 log₁₀을 하기 전에 제곱해야 합니다. 제곱이 로그 밖으로 나오면 무엇이 됩니까?",
            ),
        ),
        mistakes={
            "mel.ten_for_everything": "dB는 파워의 10 log₁₀이지만, 크기는 먼저 제곱해야 하므로 20이 됩니다.",
            "mel.natural_logarithm": "log라는 이름이 더 짧지만, 10 ln은 2.3배나 큽니다.",
            "mel.floor_added": "log 0은 피하지만, 바닥 아래의 값뿐 아니라 작은 값을 모두 끌어올립니다.",
            "mel.floor_below_0_db": "80 dB는 절대값처럼 들리지만 최댓값에 대한 상대값입니다.",
            "mel.loudest_of_the_batch": "max()는 인수가 필요 없지만, 한 소리가 배치의 다른 소리에 따라 달라집니다.",
        },
        plant=('(10 if stype == "power" else 20)', "10", "mel.ten_for_everything"),
    ),
    Exercise(
        "stft.mel.dct_matrix",
        tests=(
            "test_mel.py::check_dct(dct_matrix)",
            "test_mel.py::test_dct_equals_the_spec",
            "test_mel.py::test_dct_is_orthonormal",
        ),
        write=(
            "D_jq = 2 cos(πq(2j + 1)/2M), M = n_mels rows and n_mfcc columns. norm='ortho' scales each column to length 1. "
            "Refuse n_mfcc outside 1 … n_mels and an unknown norm; the result has dtype, or torch's default.",
            "D_jq = 2 cos(πq(2j + 1)/2M)이며 M = n_mels개의 행과 n_mfcc개의 열입니다. norm='ortho'이면 각 열의 길이를 1로 "
            "만듭니다. n_mfcc가 1 … n_mels 밖이거나 norm이 알 수 없는 값이면 거부합니다. 결과의 dtype은 dtype 또는 torch의 기본값입니다.",
        ),
        hints=(
            (
                "Make j a column and q a row: their product is a matrix.",
                "j는 열로, q는 행으로 만들면 곱이 행렬이 됩니다.",
            ),
            (
                "normalize(…, dim=0) makes each column a unit vector; no factor has to be remembered.",
                "normalize(…, dim=0)은 각 열을 단위벡터로 만듭니다. 계수를 외울 필요가 없습니다.",
            ),
        ),
        mistakes={
            "mel.starts_at_sample_0": "cos(πqm/M)이 더 간단하지만, DCT-II의 표본은 반 칸 뒤에 있습니다.",
            "mel.first_not_smaller": "계수 하나가 더 간단하지만, 상수인 첫 열은 다른 열보다 √2배 깁니다.",
            "mel.without_the_2": "교과서의 DCT-II에는 2가 없지만, scipy와 torchaudio에는 있습니다.",
        },
        hides=("stft.mel.dct_spec",),
    ),
)
