-- 附件1 半年度监测；列见 monitoring_of。
{{ monitoring_of('half_year') }}
