extension Catalogue.Document {
    /// Text of the form that `Catalogue` reads. Chinese names, modes, levels and authorisations are those of the annex.
    static let jiningText = """
        JN-01 | 1 | interface_call | local | required | authorised
        category | 纳税信息 | Tax payment
        item | 纳税信用等级信息 | Tax credit grade
        sharing | 地方层面接口调用（经企业授权），其中A级纳税人名单信息在国家层面以物理归集方式共享至全国融资信用服务平台
        also | physical_aggregation | national | A级纳税人名单信息 | list of grade-A taxpayers
        condition | 其中A级纳税人名单信息在国家层面以物理归集方式共享至全国融资信用服务平台
        condition in English | the list of grade-A taxpayers is physically aggregated nationally, with no authorisation printed for that part
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - tax_rating_year | 评级年度 | integer | derived
        - tax_credit_grade | 纳税信用等级 | enum | derived | secret

        JN-02 | 2 | interface_call | local | required | authorised
        category | 纳税信息 | Tax payment
        item | 非正常纳税户信息 | Abnormal taxpayer status
        sharing | 地方层面接口调用（经企业授权）
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - is_abnormal_taxpayer | 是否非正常纳税户 | boolean | direct | secret

        JN-03 | 3 | interface_call | local | required | authorised
        category | 纳税信息 | Tax payment
        item | 欠税信息 | Current tax arrears
        sharing | 地方层面接口调用（经企业授权）
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - has_tax_arrears | 当前是否欠税 | boolean | direct | secret
        - tax_arrears_amount | 欠税金额 | decimal in CNY | direct | secret
        - tax_type | 税种 | enum | derived | secret

        JN-04 | 4 | interface_call | local | required | authorised
        category | 纳税信息 | Tax payment
        item | 纳税信息 | Tax payments over the past year
        sharing | 地方层面接口调用（经企业授权）
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - vat_payable_12m | 近一年增值税应纳税金额 | decimal in CNY | direct | secret
        - vat_paid_12m | 近一年增值税实际缴税金额 | decimal in CNY | direct | secret
        - cit_payable_12m | 近一年企业所得税应纳税金额 | decimal in CNY | direct | secret
        - cit_paid_12m | 近一年企业所得税实际缴税金额 | decimal in CNY | direct | secret
        - consecutive_normal_tax_months | 连续正常缴税周期（月） | integer in month | direct | secret
        - last_normal_tax_payment_date | 最近一次正常缴税日期 | date | derived | secret

        JN-05 | 5 | physical_aggregation | national_or_local | none | open
        category | 生态环境领域信息 | Ecology and environment
        item | 环保信用评价情况 | Environmental credit rating
        sharing | 国家或地方层面以物理归集方式共享至全国融资信用服务平台
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - env_credit_score | 环保信用评价分值和等级 | decimal | direct
        - env_credit_grade | 环保信用评价分值和等级 | enum | derived
        - env_rating_date | 评价时间 | date | derived

        JN-06 | 6 | data_verification | local | required | authorised
        category | 不动产信息 | Real estate
        item | 企业名下不动产登记情况 | Real estate registered to the enterprise
        sharing | 地方层面数据核验（经企业授权）
        key | id_document | right_holder_id_no | 权利人证件号 | direct
        - right_holder_name | 权利人名称 | string | none | name
        - right_holder_id_no | 权利人证件号 | document-id | none | key
        - property_certificate_no | 不动产权证书号 | document-id | derived | secret
        - property_unit_no | 不动产单元号 | document-id | none | secret
        - property_use | 用途 | enum | derived | secret
        - property_location | 坐落 | string | derived | secret
        - property_area | 面积 | decimal in m2 | direct | secret
        - use_term | 使用期限 | string | derived | secret
        - registration_authority | 登记机构 | string | none
        - registration_date | 登记时间 | date | derived | secret

        JN-07 | 7 | data_verification | local | required | authorised
        category | 不动产信息 | Real estate
        item | 企业名下房产抵押信息 | Mortgages on the enterprise's property
        sharing | 地方层面数据核验（经企业授权）
        key | property_unit | property_unit_no | 不动产单元号 | indirect
        - mortgagee_name | 抵押权人 | string | none | secret
        - mortgagee_id_no | 抵押权人证件号 | document-id | none | secret
        - property_registration_certificate_no | 不动产登记证明号 | document-id | derived | secret
        - property_unit_no | 不动产单元号 | document-id | none | key secret
        - right_type | 权利类型 | enum | derived | secret
        - mortgagor_name | 抵押人 | string | none | name secret
        - mortgage_registration_date | 抵押登记时间 | date | derived | secret

        JN-08 | 8 | physical_aggregation | national_or_local | partial | masked_or_authorised
        category | 行政管理信息 | Administrative management
        item | 行政许可信息 | Administrative permits
        sharing | 国家或地方层面以物理归集方式共享至全国融资信用服务平台（法定代表人证件号码和类型在对外提供时需经企业授权）
        condition | 法定代表人证件号码和类型在对外提供时需经企业授权
        condition in English | number and type of the legal representative's document need the enterprise's authorisation to be disclosed
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - counterparty_category | 行政相对人类别 | enum | derived
        - legal_rep_name | 法定代表人姓名 | string | none | personal
        - legal_rep_id_type | 法定代表人证件类型 | enum | none | personal authorised
        - legal_rep_id_no | 法定代表人证件号码 | document-id | none | personal authorised
        - permit_decision_doc_name | 行政许可决定文书名称 | string | none
        - permit_decision_doc_no | 行政许可决定文书号 | document-id | none
        - permit_category | 行政许可类别 | enum | derived
        - permit_certificate_name | 行政许可证书名称 | string | none
        - permit_no | 行政许可编号 | document-id | derived
        - permit_content | 行政许可内容（具体共享字段由数据提供单位确定） | string | none
        - permit_decision_date | 行政许可决定日期 | date | derived
        - permit_valid_until | 行政许可有效期 | date | derived
        - permit_status | 行政许可状态 | enum | derived
        - authority_name | 行政机关名称 | string | none
        - authority_uscc | 行政机关统一社会信用代码 | document-id | none
        - data_provider | 数据提供单位 | string | none

        JN-09 | 9 | physical_aggregation | national_or_local | partial | masked_or_authorised
        category | 行政管理信息 | Administrative management
        item | 行政处罚信息 | Administrative penalties
        sharing | 国家或地方层面以物理归集方式共享至全国融资信用服务平台（法定代表人证件号码和类型在对外提供时需经企业授权）
        condition | 法定代表人证件号码和类型在对外提供时需经企业授权
        condition in English | number and type of the legal representative's document need the enterprise's authorisation to be disclosed
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - counterparty_category | 行政相对人类别 | enum | derived
        - legal_rep_name | 法定代表人姓名 | string | none | personal
        - legal_rep_id_type | 法定代表人证件类型 | enum | none | personal authorised
        - legal_rep_id_no | 法定代表人证件号码 | document-id | none | personal authorised
        - penalty_decision_doc_name | 行政处罚决定文书名称 | string | none
        - penalty_decision_doc_no | 行政处罚决定文书号 | document-id | derived
        - violation_type | 违法行为类型 | enum | derived
        - violation_facts | 违法事实 | string | none
        - penalty_basis | 行政处罚依据 | string | none
        - penalty_content | 行政处罚内容 | string | none
        - fine_amount | 罚款金额 | decimal in CNY | derived
        - confiscated_amount | 没收违法所得和没收财物的金额 | decimal in CNY | derived
        - suspended_or_revoked_licence_name | 暂扣或吊销证照名称及编号 | string | derived
        - suspended_or_revoked_licence_no | 暂扣或吊销证照名称及编号 | document-id | derived
        - penalty_decision_date | 行政处罚决定日期 | date | derived
        - penalty_valid_until | 行政处罚有效期 | date | derived
        - publicity_end_date | 公示截止期 | date | derived
        - authority_name | 行政机关名称 | string | none
        - authority_uscc | 行政机关统一社会信用代码 | document-id | none
        - data_provider | 数据提供单位 | string | none

        JN-10 | 10 | physical_aggregation | national_or_local | partial | masked_or_authorised
        category | 行政管理信息 | Administrative management
        item | 行政强制信息 | Administrative compulsory measures
        sharing | 国家或地方层面以物理归集方式共享至全国融资信用服务平台（法定代表人证件号码和类型在对外提供时需经企业授权）
        condition | 法定代表人证件号码和类型在对外提供时需经企业授权
        condition in English | number and type of the legal representative's document need the enterprise's authorisation to be disclosed
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - legal_rep_name | 法定代表人姓名 | string | none | personal
        - legal_rep_id_type | 法定代表人证件类型 | enum | none | personal authorised
        - legal_rep_id_no | 法定代表人证件号码 | document-id | none | personal authorised
        - compulsion_decision_doc_name | 行政强制决定文书名称 | string | none
        - compulsion_doc_no | 行政强制文书号 | document-id | derived
        - compulsion_reason | 行政强制执行理由 | string | none
        - compulsion_basis | 行政强制执行依据 | string | none
        - compulsion_method | 行政强制执行方式 | enum | derived
        - compulsion_date | 执行时间 | date | derived
        - authority_name | 行政机关名称 | string | none
        - authority_uscc | 行政机关统一社会信用代码 | document-id | none
        - data_provider | 数据提供单位 | string | none

        JN-11 | 11 | interface_call | local | required | authorised
        category | 水电气费缴纳信息 | Water, electricity and gas payments
        item | 水费信息 | Water charges
        sharing | 地方层面接口调用（经企业授权）
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - water_account_name | 水用户信息（户名户号） | string | none | secret
        - water_account_no | 水用户信息（户名户号） | document-id | derived | secret
        - water_payment_details | 缴纳水费明细 | decimal records in CNY | derived | secret
        - water_avg_monthly_usage_3m | 近3个月月均用水量 | decimal in m3 | direct | secret
        - water_avg_monthly_usage_6m | 近6个月月均用水量 | decimal in m3 | direct | secret
        - water_in_arrears | 当前是否欠费 | boolean | direct | secret

        JN-12 | 12 | interface_call | local | required | authorised
        category | 水电气费缴纳信息 | Water, electricity and gas payments
        item | 电费信息 | Electricity charges
        sharing | 地方层面接口调用（经企业授权）
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - grid_account_no | 电网户号 | document-id | derived | secret
        - elec_account_open_date | 开户日期 | date | derived | secret
        - elec_usage_type | 用电类型 | enum | derived | secret
        - province_name | 地区地方名（省级） | enum | derived
        - city_name | 地区地方名（市级） | enum | derived
        - elec_value_grade | 价值等级 | enum | derived | secret
        - elec_risk_grade | 风险等级 | enum | derived | secret
        - elec_avg_monthly_amount_3m | 近3个月月均用电金额 | decimal in CNY | direct | secret
        - elec_avg_monthly_amount_6m | 近6个月月均用电金额 | decimal in CNY | direct | secret
        - elec_avg_monthly_amount_12m | 近一年月均用电金额 | decimal in CNY | direct | secret
        - elec_in_arrears | 当前是否欠费 | boolean | direct | secret

        JN-13 | 13 | interface_call | local | required | authorised
        category | 水电气费缴纳信息 | Water, electricity and gas payments
        item | 燃气费信息 | Gas charges
        sharing | 地方层面接口调用（经企业授权）
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - gas_account_name | 燃气用户信息（户名户号） | string | none | secret
        - gas_account_no | 燃气用户信息（户名户号） | document-id | derived | secret
        - gas_payment_details | 缴纳燃气费明细 | decimal records in CNY | derived | secret
        - gas_avg_monthly_usage_3m | 近3个月月均燃气用量 | decimal in m3 | direct | secret
        - gas_avg_monthly_usage_6m | 近6个月月均燃气用量 | decimal in m3 | direct | secret
        - gas_in_arrears | 当前是否欠费 | boolean | direct | secret

        JN-14 | 14 | interface_call | local | required | authorised
        category | 科技研发信息 | Science, technology and R&D
        item of no name | 科技研发信息 | Science, technology and R&D
        sharing | 地方层面接口调用（经企业授权）
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - is_national_high_tech | 是否属于国家级高新技术企业 | boolean | direct
        - has_laboratory_support | 获得科研支持信息（实验室建设、政府资金支持、参与标准制定、人才认证等） | boolean | direct | secret
        - government_funding | 获得科研支持信息（实验室建设、政府资金支持、参与标准制定、人才认证等） | decimal in CNY | derived | secret
        - participates_in_standards | 获得科研支持信息（实验室建设、政府资金支持、参与标准制定、人才认证等） | boolean | direct
        - talent_certification | 获得科研支持信息（实验室建设、政府资金支持、参与标准制定、人才认证等） | boolean | direct | personal

        JN-15 | 15 | interface_call | national_or_local | required | authorised
        category | 新型农业经营主体信息 | New-type agricultural operators
        item of no name | 新型农业经营主体信息 | New-type agricultural operators
        sharing | 国家或地方层面接口调用（经企业授权）
        key | name | agri_operator_name | 新型农业经营主体名称 | indirect
        - agri_operator_name | 新型农业经营主体名称 | string | none | key
        - agri_operator_category | 类别 | enum | derived
        - agri_operator_principal | 负责人 | string | none | personal
        - agri_operator_location | 所在地 | string | derived | personal
        - agri_operator_business | 经营内容 | string | derived
        - rural_land_operating_right | 农村土地经营权信息 | string document | derived | secret
        - farmer_housing_property_right | 农民住房财产权信息 | string document | derived | personal
        """
}
