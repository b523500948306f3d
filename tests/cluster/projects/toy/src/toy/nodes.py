"""What the nodes do."""


def squares(n: int) -> list[int]:
    if n < 0:
        raise ValueError(f"n must not be negative: {n}")
    return [i * i for i in range(n)]


def doubled(total: int) -> int:
    return 2 * total
