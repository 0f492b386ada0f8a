-- 同半年度监测的年度数；列见 monitoring_of。
{{ monitoring_of('year') }}
