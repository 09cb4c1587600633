"""Cost of an inner product entry against rows, columns and key length, as SVG in both languages."""

import math

COLOURS = ["#1b6ca8", "#c8553d", "#3d8f5f"]


def draw(engines, figures, folder):
    folder.mkdir(parents=True, exist_ok=True)
    own = engines.own("engine")
    rows = [256, 1024, 4096, 16_384]
    columns = [1, 4, 16, 64]
    keys = [1024, 2048, 3072]

    def cost(bits, count, width, columns):
        return min(own.each("entries", bits, count, columns, width, 0) for _ in range(3)) * 1e6

    # First: tables are made once, for as many encryptions as are expected when they are first needed.
    figures.note("plots: key length")
    chart(folder / "keys.svg", "One operation against key length / 单次运算耗时与密钥长度", "bits of n / 模数位数", {
        "encryption 加密": [(k, min(own.each("encrypt", k, 500) for _ in range(3)) * 1e6) for k in keys],
        "addition 加法": [(k, min(own.each("add", k, 4096) for _ in range(3)) * 1e6) for k in keys],
        "entry, 8 bits 内积单项": [(k, cost(k, 4096, 8, 16)) for k in keys],
    })
    figures.note("plots: rows")
    chart(folder / "rows.svg", "Inner product entry against rows / 内积单项耗时与行数（16 columns 列，2048 bits 位）", "rows 行数 N",
          {f"{width} bits 位": [(n, cost(2048, n, width, 16)) for n in rows] for width in (16, 8, 1)})
    figures.note("plots: columns")
    chart(folder / "columns.svg", "Inner product entry against columns / 内积单项耗时与列数（4096 rows 行，2048 bits 位）", "columns 列数 F",
          {f"{width} bits 位": [(f, cost(2048, 4096, width, f)) for f in columns] for width in (16, 8, 1)})


def chart(file, title, label, series):
    """Both axes logarithmic; microseconds upwards."""
    width, height, left, right, top, bottom = 720, 420, 70, 190, 44, 56
    points = [point for line in series.values() for point in line]
    spans = [bounds([p[axis] for p in points]) for axis in (0, 1)]

    def x(value):
        return left + (width - left - right) * (math.log(value) - spans[0][0]) / (spans[0][1] - spans[0][0])

    def y(value):
        return height - bottom - (height - top - bottom) * (math.log(value) - spans[1][0]) / (spans[1][1] - spans[1][0])

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
             f'<rect width="{width}" height="{height}" fill="white"/><text x="{left}" y="24" font-size="15">{title}</text>',
             f'<text x="{(left + width - right) / 2}" y="{height - 14}" text-anchor="middle">{label}</text>',
             f'<text x="18" y="{height / 2}" text-anchor="middle" transform="rotate(-90 18 {height / 2})">microseconds 微秒</text>']
    for value in sorted({p[0] for p in points}):
        parts.append(f'<text x="{x(value):.1f}" y="{height - bottom + 18}" text-anchor="middle">{value:,}</text>')
    tick = 10 ** math.floor(spans[1][0] / math.log(10))
    while math.log(tick) <= spans[1][1]:
        for factor in (1, 2, 5):
            if spans[1][0] <= math.log(tick * factor) <= spans[1][1]:
                at = y(tick * factor)
                parts.append(f'<line x1="{left}" x2="{width - right}" y1="{at:.1f}" y2="{at:.1f}" stroke="#ddd"/>'
                             f'<text x="{left - 8}" y="{at + 4:.1f}" text-anchor="end">{tick * factor:g}</text>')
        tick *= 10
    for index, (name, line) in enumerate(series.items()):
        colour = COLOURS[index % len(COLOURS)]
        path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="3" fill="{colour}"/>' for a, b in line]
        parts.append(f'<rect x="{width - right + 14}" y="{top + 22 * index}" width="12" height="12" fill="{colour}"/>'
                     f'<text x="{width - right + 32}" y="{top + 10 + 22 * index}">{name}</text>')
    file.write_text("\n".join(parts + ["</svg>\n"]), encoding="utf-8")


def bounds(values):
    low, high = math.log(min(values)), math.log(max(values))
    margin = max(0.1, (high - low) * 0.08)
    return low - margin, high + margin
