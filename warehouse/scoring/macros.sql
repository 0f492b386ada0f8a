-- 功效系数的四个公式，随数仓发布：在 SQL 里对任何数可用（双精度；打分本身用同样公式的精确分数，见 formulas.py）。
-- 满意值等于不允许值时为空，不报错。
create macro efficacy_linear(x, x_s, x_h, base, span) as
    (cast(x as double) - x_s) / nullif(cast(x_h as double) - x_s, 0) * span + base;
create macro efficacy_zero_based(x, x_s, x_h) as
    case
        when x is not null and cast(x_h as double) - x_s <> 0
            then greatest(0, least(100, (cast(x as double) - x_s) / (cast(x_h as double) - x_s) * 100))
    end;
create macro efficacy_exponential(x, x_s, x_h) as
    60 * power(5.0 / 3.0, (cast(x as double) - x_s) / nullif(cast(x_h as double) - x_s, 0));
create macro efficacy_five_grade(x, weight, poorest, low, average, good, best) as
    weight * case
        when x is null or best = poorest then null
        when (cast(x as double) - best) * (cast(best as double) - poorest) >= 0 then 1.0
        when (cast(x as double) - good) * (cast(best as double) - poorest) >= 0
            then 0.8 + 0.2 * (cast(x as double) - good) / nullif(cast(best as double) - good, 0)
        when (cast(x as double) - average) * (cast(best as double) - poorest) >= 0
            then 0.6 + 0.2 * (cast(x as double) - average) / nullif(cast(good as double) - average, 0)
        when (cast(x as double) - low) * (cast(best as double) - poorest) >= 0
            then 0.4 + 0.2 * (cast(x as double) - low) / nullif(cast(average as double) - low, 0)
        when (cast(x as double) - poorest) * (cast(best as double) - poorest) >= 0
            then 0.2 + 0.2 * (cast(x as double) - poorest) / nullif(cast(low as double) - poorest, 0)
        else 0.0
    end;
comment on macro efficacy_linear is '功效系数，线性：(x − x_s) ÷ (x_h − x_s) × span + base，分；x_h 满意值，x_s 不允许值，逆向指标 x_h < x_s（附件2 评价规则）';
comment on macro efficacy_zero_based is '功效系数，从 0 到 100：(x − x_s) ÷ (x_h − x_s) × 100，限在 [0, 100]，分（附件2 评价规则）';
comment on macro efficacy_exponential is '功效系数，指数：60 × (5/3)^((x − x_s) ÷ (x_h − x_s))，分（附件2 评价规则）';
comment on macro efficacy_five_grade is '功效系数，五档：较差 0.2、较低 0.4、平均 0.6、良好 0.8、优秀 1.0，档间直线，再乘 weight；不到较差值为 0（附件2 评价规则）';
