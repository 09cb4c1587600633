extension Catalogue.Document {
    /// Text of the form that `Catalogue` reads. Chinese names, modes, levels and authorisations are those of the annex.
    static let nationalText = """
        GB-01.1 | 1 | interface_call | national | required | authorised
        category | 法定代表人信息 | Legal representative
        item of no name | 法定代表人信息 | Legal representative
        sharing | 国家层面接口调用（经信息主体授权）
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - legal_rep_name | 法定代表人姓名 | string | derived | personal

        GB-02.1 | 2 | interface_call | national | required | authorised
        category | 股东及出资信息 | Shareholders and contributions
        item of no name | 股东及出资信息 | Shareholders and contributions
        sharing | 国家层面接口调用（经信息主体授权）
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - shareholder_name | 股东姓名/名称 | string records | none | personal
        - shareholder_id_no_or_uscc | 身份证号码/统一社会信用代码 | document-id records | derived | personal
        - contribution_date | 出资日期 | date records | derived | secret

        GB-03.1 | 3 | interface_call | national | required | authorised
        category | 纳税信息 | Tax payment
        item | 缓税信息 | Deferred tax
        sharing | 国家层面接口调用（经信息主体授权）
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - deferred_tax_item | 缓税项目 | enum records | derived | secret
        - deferred_tax_amount | 缓税金额 | decimal records in CNY | direct | secret

        GB-03.2 | 3 | interface_call | national | required | authorised
        category | 纳税信息 | Tax payment
        item | 历史欠税信息 | Historical tax arrears
        sharing | 国家层面接口调用（经信息主体授权）
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - tax_arrears_amount | 欠税金额 | decimal records in CNY | direct | secret
        - tax_type | 税种 | enum records | derived | secret
        - tax_period_start | 所属税期起 | date records | derived | secret
        - tax_period_end | 所属税期止 | date records | derived | secret
        - tax_payment_date | 缴款日期 | date records | derived | secret

        GB-03.3 | 3 | interface_call | national | required | authorised
        category | 纳税信息 | Tax payment
        item | 财务申报信息 | Financial statements filed with tax
        sharing | 国家层面接口调用（经信息主体授权）
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - balance_sheet | 资产负债表 | decimal document in CNY | derived | secret
        - income_statement | 利润表 | decimal document in CNY | derived | secret

        GB-04.1 | 4 | physical_aggregation | national | none | masked_or_authorised
        category | 司法信息 | Judicial
        item | 失信被执行人信息 | Dishonest judgment debtors
        sharing | 国家层面以物理归集方式共享至全国融资信用服务平台
        key | uscc_or_person_id | judgment_debtor_id_no_or_uscc | 身份证号码/统一社会信用代码 | direct
        - case_no | 案号 | document-id | derived
        - judgment_debtor_name | 被执行人姓名/名称 | string | none | name personal
        - judgment_debtor_id_no_or_uscc | 身份证号码/统一社会信用代码 | document-id | none | key personal
        - enforcement_basis_case_no | 执行依据案号 | document-id | none
        - enforcement_basis_authority | 作出执行依据单位 | string | none
        - adjudicated_obligation | 生效法律文书确定的义务 | string | derived
        - dishonest_listing_revoked_date | 撤销日期 | date | derived

        GB-05.1 | 5 | interface_call | national | required | authorised
        category | 进出口信息 | Import and export
        item | 基础信息 | Customs basic information
        sharing | 国家层面接口调用（经信息主体授权）
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - customs_registration_no | 海关备案编码 | document-id | derived | secret
        - customs_industry_type | 行业种类 | enum | derived
        - on_customs_dishonest_list | 是否被列入失信名单 | boolean | direct
        - first_export_date | 首笔出口日期 | date | derived | secret

        GB-05.2 | 5 | interface_call | national | required | authorised
        category | 进出口信息 | Import and export
        item | 企业海关税款缴纳信息 | Customs duties paid
        sharing | 国家层面接口调用（经信息主体授权）
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - customs_tax_paid_12m | 近一年企业海关税款缴纳金额 | decimal in CNY | direct | secret
        - last_customs_tax_payment_date | 最近一次缴税日期 | date | derived | secret

        GB-06.1 | 6 | interface_call | national | required | authorised
        category | 生态环境领域信息 | Ecology and environment
        item | 碳排放信息 | Carbon emissions
        sharing | 国家层面接口调用（经信息主体授权）
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - co2_emission_disclosed_12m | 最近一年已向社会公开的二氧化碳排放总量 | decimal in tonne | direct

        GB-06.2 | 6 | interface_call | national | required | authorised
        category | 生态环境领域信息 | Ecology and environment
        item | 环评信用信息 | Environmental impact assessment credit
        sharing | 国家层面接口调用（经信息主体授权）
        key | uscc | uscc | 统一社会信用代码 | direct
        - entity_name | 单位名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - registered_address | 住所 | string | derived
        - eia_dishonest_act | 失信行为 | string | derived
        - eia_dishonest_points | 失信记分 | integer | direct
        - eia_credit_status | 当前信用状态 | enum | derived

        GB-07.1 | 7 | interface_call | national | required | authorised
        category | 社会保险信息 | Social insurance
        item | 企业职工基本养老保险缴费信息 | Employee basic pension contributions
        sharing | 国家层面接口调用（经信息主体授权）
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - pension_headcount_monthly_change_rate_6m | 近半年单位月度参保人数变化率 | decimal in ratio | direct | secret
        - pension_normal_payments_6m | 近半年单位正常缴费次数 | integer in count | direct | secret

        GB-07.2 | 7 | physical_aggregation | local | none | masked_or_authorised
        category | 社会保险信息 | Social insurance
        item | 职工医疗保险费基本信息 | Employee medical insurance, basic
        sharing | 地方层面物理归集
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - medical_headcount_monthly_24m | 近两年每月参保人数 | integer monthly_series in persons | derived | secret
        - medical_contribution_monthly_24m | 近两年每月单位缴费金额 | decimal monthly_series in CNY | derived | secret
        - medical_payment_date_24m | 近两年每次缴费日期 | date monthly_series | derived | secret
        - medical_payment_period | 缴费所属期（与每笔缴费对应） | date monthly_series | derived | secret
        - medical_last_normal_payment_month | 最近一次正常缴费月份 | date | derived | secret
        - medical_deferred_amount_monthly_24m | 近两年每月缓缴金额及日期 | decimal monthly_series in CNY | derived | secret
        - medical_deferred_date_24m | 近两年每月缓缴金额及日期 | date monthly_series | derived | secret

        GB-07.3 | 7 | physical_aggregation | local | none | masked_or_authorised
        category | 社会保险信息 | Social insurance
        item | 职工医疗保险费欠缴信息 | Employee medical insurance, arrears
        sharing | 地方层面物理归集
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - medical_arrears_amount_24m | 近两年欠缴金额 | decimal in CNY | direct | secret
        - medical_arrears_period | 欠缴所属期 | date records | derived | secret

        GB-07.4 | 7 | physical_aggregation | local | none | masked_or_authorised
        category | 社会保险信息 | Social insurance
        item | 职工医疗保险费变动信息 | Employee medical insurance, changes
        sharing | 地方层面物理归集
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - medical_headcount_monthly_change_rate_3m | 近一季度单位月度参保人数变化率 | decimal in ratio | direct | secret
        - medical_contribution_monthly_change_rate_3m | 近一季度单位月度缴费金额变化率 | decimal in ratio | direct | secret

        GB-08.1 | 8 | physical_aggregation | national | none | open
        category | 知识产权信息 | Intellectual property
        item | 专利商标质押信息 | Patent and trade mark pledges
        sharing | 国家层面以物理归集方式共享至全国融资信用服务平台
        key | name | pledgor_name | 出质人名称 | indirect
        - pledge_registration_no | 质押登记号 | document-id | derived
        - patent_or_trademark_name | 专利商标名称 | string | none
        - pledgor_name | 出质人名称 | string | none | key
        - pledgee_name | 质权人名称 | string | none
        - pledge_announcement_date | 公告日 | date | derived

        GB-09.1 | 9 | data_verification | unstated | required | authorised
        category | 不动产登记信息 | Real estate registration
        item | 企业主名下不动产登记信息 | Real estate registered to the business owner
        sharing | 数据核验（经信息主体授权）
        key | person_id | right_holder_id_no | 权利人证件号 | indirect
        - right_holder_name | 权利人名称 | string | none | name personal
        - right_holder_id_no | 权利人证件号 | document-id | none | key personal
        - property_certificate_no | 不动产权证书号 | document-id | derived | personal
        - property_unit_no | 不动产单元号 | document-id | none | personal
        - property_use | 用途 | enum | derived | personal
        - property_location | 坐落 | string | derived | personal
        - property_area | 面积 | decimal in m2 | direct | personal
        - use_term | 使用期限 | string | derived | personal
        - registration_authority | 登记机构 | string | none
        - registration_date | 登记时间 | date | derived | personal

        GB-09.2 | 9 | data_verification | unstated | required | authorised
        category | 不动产登记信息 | Real estate registration
        item | 企业主名下不动产抵押信息 | Mortgages on the business owner's property
        sharing | 数据核验（经信息主体授权）
        key | property_unit | property_unit_no | 不动产单元号 | indirect
        - mortgagee_name | 抵押权人 | string | none | secret
        - mortgagee_id_no | 抵押权人证件号 | document-id | none | secret
        - property_registration_certificate_no | 不动产登记证明号 | document-id | derived | personal
        - property_unit_no | 不动产单元号 | document-id | none | key personal
        - right_type | 权利类型 | enum | derived | personal
        - mortgagor_name | 抵押人 | string | none | name personal
        - mortgage_registration_date | 抵押登记时间 | date | derived | personal

        GB-09.3 | 9 | data_verification | unstated | required | authorised
        category | 不动产登记信息 | Real estate registration
        item | 农民住房登记信息 | Farmers' housing registration
        sharing | 数据核验（经信息主体授权）
        key | person_id | right_holder_id_no | 权利人证件号 | indirect
        - farmer_name | （农民）姓名 | string | none | name personal
        - right_holder_id_no | 权利人证件号 | document-id | none | key personal
        - property_certificate_no | 不动产权证书号（不动产登记证明号） | document-id | derived | personal
        - property_unit_no | 不动产单元号 | document-id | none | personal
        - property_use | 用途 | enum | derived | personal
        - property_location | 坐落 | string | derived | personal
        - property_area | 面积 | decimal in m2 | direct | personal
        - registration_authority | 登记机构 | string | none
        - registration_date | 登记时间 | date | derived | personal

        GB-10.1 | 10 | data_verification | unstated | required | authorised
        category | 科技研发信息 | Science, technology and R&D
        item | 企业创新评价信息 | Enterprise innovation ratings
        sharing | 数据核验（经信息主体授权）
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - is_little_giant | 专精特新“小巨人”企业 | boolean | direct
        - is_specialised_new_sme | 专精特新中小企业 | boolean | direct
        - is_innovative_sme | 创新型中小企业 | boolean | direct
        - is_high_tech | 高新技术企业 | boolean | direct
        - is_tech_sme | 科技型中小企业 | boolean | direct

        GB-11.1 | 11 | data_verification | unstated | required | authorised
        category | 新型农业经营主体信息 | New-type agricultural operators
        item | 基本信息 | Family farm basic information
        sharing | 数据核验（经信息主体授权）
        key | id_document | id_document_no | 证件号码 | indirect
        - farm_owner_name | 家庭农场主姓名 | string | none | name personal
        - id_document_type | 证件类型 | enum | none | personal
        - id_document_no | 证件号码 | document-id | none | key personal

        GB-11.2 | 11 | data_verification | unstated | required | authorised
        category | 新型农业经营主体信息 | New-type agricultural operators
        item | 经营信息 | Family farm operations
        sharing | 数据核验（经信息主体授权）
        key | name | farm_name | 家庭农场名称 | indirect
        - farm_name | 家庭农场名称 | string | none | key
        - farming_type | 种养殖类型 | enum | derived
        - farming_scale | 种养殖规模 | decimal | direct | secret

        GB-11.3 | 11 | data_verification | unstated | required | authorised
        category | 新型农业经营主体信息 | New-type agricultural operators
        item | 土地经营权流转信息 | Transfer of land operating rights
        sharing | 数据核验（经信息主体授权）
        key | name | land_transferee | 土地经营权流转受让方 | indirect
        - land_transferee | 土地经营权流转受让方 | string | none | key personal
        - land_transfer_fee | 土地经营权流转费用 | decimal in CNY | direct | secret
        - land_area | 土地面积 | decimal | direct | secret
        - plot_code | 地块代码 | document-id | derived | secret

        GB-11.4 | 11 | physical_aggregation | local | none | masked_or_authorised
        category | 新型农业经营主体信息 | New-type agricultural operators
        item | 保险信息 | Agricultural insurance
        sharing | 地方层面物理归集
        key | id_document | id_document_no | 证件号码 | indirect
        - agri_operator_name | 新型农业经营主体名称 | string | none | name
        - id_document_type | 证件类型 | enum | none | personal
        - id_document_no | 证件号码 | document-id | none | key personal
        - is_insured | 是否投保 | boolean | direct | secret
        - insurance_type | 投保类型 | enum | derived | secret
        - insured_scale | 投保规模 | decimal | direct | secret
        - insured_amount | 保险金额 | decimal in CNY | direct | secret
        - policy_valid_until | 保单有效期 | date | derived | secret
        - insurance_claims | 保险理赔信息 | string document | derived | secret

        GB-11.5 | 11 | physical_aggregation | local | none | masked_or_authorised
        category | 新型农业经营主体信息 | New-type agricultural operators
        item | 补贴信息 | Agricultural subsidies
        sharing | 地方层面物理归集
        key | id_document | id_document_no | 证件号码 | indirect
        - agri_operator_name | 新型农业经营主体名称 | string | none | name
        - id_document_type | 证件类型 | enum | none | personal
        - id_document_no | 证件号码 | document-id | none | key personal
        - subsidy_type | 补贴类型 | enum | derived | secret
        - subsidy_amount | 补贴金额 | decimal in CNY | direct | secret

        GB-12.1 | 12 | physical_aggregation | local | none | masked_or_authorised
        category | 涉农类清单信息 | Agriculture-related lists
        item | 种植大户清单 | List of large-scale growers
        sharing | 地方层面物理归集
        key | none | - | - | indirect

        GB-13.1 | 13 | physical_aggregation | national | none | open
        category | 公共资源交易信息 | Public resource transactions
        item of no name | 公共资源交易信息 | Public resource transactions
        sharing | 国家层面以物理归集方式共享至全国融资信用服务平台
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - transaction_type | 交易类型 | enum records | derived
        - project_name | 项目名称 | string records | none
        - project_amount | 项目金额 | decimal records in CNY | direct
        - project_ownership_name | 项目所有制名称 | string records | none
        - announcement_url | 链接地址 | string records | none
        - announcement_date | 公告日期 | date records | derived

        GB-14.1 | 14 | physical_aggregation | national | none | open
        category | 资质信息 | Qualifications
        item | 建筑资质信息 | Construction qualifications
        sharing | 国家层面以物理归集方式共享至全国融资信用服务平台
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - qualification_series | 资质序列 | enum records | derived
        - qualification_category | 资质类别 | enum records | derived
        - qualification_grade | 资质等级 | enum records | derived
        - issuing_authority | 发证机关 | string records | none
        - issue_date | 发证日期 | date records | derived
        - valid_until | 有效期限 | date records | derived

        GB-14.2 | 14 | physical_aggregation | national | none | open
        category | 资质信息 | Qualifications
        item | 医疗资质信息 | Medical qualifications
        sharing | 国家层面以物理归集方式共享至全国融资信用服务平台
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - medical_practice_licence_no | 执业许可证编号 | document-id | derived
        - issuing_authority | 发证机关 | string | none
        - valid_until | 有效期限 | date | derived

        GB-14.3 | 14 | physical_aggregation | national | none | open
        category | 资质信息 | Qualifications
        item | 教育资质信息 | Education qualifications
        sharing | 国家层面以物理归集方式共享至全国融资信用服务平台
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - school_licence_no | 办学许可证编号 | document-id | derived
        - administrative_permit_no | 行政许可证编号 | document-id | derived
        - school_type | 学校类型 | enum | derived
        - training_institution_type | 培训机构类型 | enum | derived
        - school_content | 办学内容 | string | none
        - training_content | 培训内容 | string | none
        - supervising_department | 主管部门 | string | none
        - valid_until | 有效期限 | date | derived
        - penalty_record | 处罚记录 | string records | derived

        GB-14.4 | 14 | interface_call | national | required | authorised
        category | 资质信息 | Qualifications
        item | 运输资质信息 | Transport qualifications
        sharing | 国家层面接口调用（经信息主体授权）
        key | uscc | uscc | 统一社会信用代码 | direct
        - transport_operator_name | 经营业户名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - road_transport_licence_no | 道路运输经营许可证号 | document-id | derived
        - business_scope | 经营范围 | string | derived
        - issuing_authority | 发证机关 | string | none
        - valid_until | 有效期限 | date | derived

        GB-15.1 | 15 | data_verification | unstated | required | authorised
        category | 医保定点信息 | Designated medical-insurance providers
        item | 医保定点单位信息 | Designated medical-insurance units
        sharing | 数据核验（经信息主体授权）
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - is_medical_insurance_designated | 是否为医保定点单位 | boolean | direct

        GB-15.2 | 15 | physical_aggregation | local | none | open
        category | 医保定点信息 | Designated medical-insurance providers
        item | 医保定点民营医疗机构信息 | Designated private medical institutions
        sharing | 地方层面物理归集
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - medical_institution_licence | 医疗机构执业许可证 | document-id | derived

        GB-15.3 | 15 | physical_aggregation | national | none | open
        category | 医保定点信息 | Designated medical-insurance providers
        item | 医保定点零售药店信息 | Designated retail pharmacies
        sharing | 国家层面以物理归集方式共享至全国融资信用服务平台
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - drug_business_licence | 药品经营许可证 | document-id | derived

        GB-16.1 | 16 | physical_aggregation | local | none | masked_or_authorised
        category | 水电气费缴纳信息 | Water, electricity and gas payments
        item | 水费信息 | Water charges
        sharing | 地方层面物理归集
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - water_account_open_date | 开户日期 | date | derived | secret
        - water_service_address | 用户地址 | string | none | secret
        - water_prepaid_amount | 预交金额 | decimal in CNY | direct | secret
        - water_arrears_amount | 欠费金额 | decimal in CNY | direct | secret
        - water_single_meter | 是否一户一表 | boolean | direct | secret

        GB-16.2 | 16 | physical_aggregation | local | none | masked_or_authorised
        category | 水电气费缴纳信息 | Water, electricity and gas payments
        item | 电费信息 | Electricity charges
        sharing | 地方层面物理归集
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - elec_service_address | 用户地址 | string | none | secret
        - elec_operating_capacity | 运行容量 | decimal in kVA | direct | secret
        - elec_contract_capacity | 合同容量 | decimal in kVA | direct | secret
        - elec_first_supply_date | 首次供电时间 | date | derived | secret
        - elec_account_status | 用电账户状态 | enum | derived | secret
        - elec_arrears_amount | 欠费金额 | decimal in CNY | direct | secret
        - elec_default_count_24m | 近两年违约次数 | integer in count | direct | secret

        GB-16.3 | 16 | physical_aggregation | local | none | masked_or_authorised
        category | 水电气费缴纳信息 | Water, electricity and gas payments
        item | 燃气费信息 | Gas charges
        sharing | 地方层面物理归集
        key | uscc | uscc | 统一社会信用代码 | direct
        - enterprise_name | 企业名称 | string | none | name
        - uscc | 统一社会信用代码 | document-id | none | key
        - gas_account_open_date | 开户日期 | date | derived | secret
        - gas_service_address | 用户地址 | string | none | secret
        - gas_prepaid_amount | 预交金额 | decimal in CNY | direct | secret
        - gas_arrears_amount | 欠费金额 | decimal in CNY | direct | secret
        - gas_single_meter | 是否一户一表 | boolean | direct | secret

        GB-17.1 | 17 | data_verification | unstated | required | authorised
        category | 婚姻状况信息 | Marital status
        item | 企业法定代表人婚姻状况信息 | Marital status of the legal representative
        sharing | 数据核验（经信息主体授权）
        key | person_id | id_card_no | 身份证号码 | indirect
        - legal_rep_name | 企业法定代表人姓名 | string | none | name personal
        - id_card_no | 身份证号码 | document-id | none | key personal
        - marital_status | 婚姻状况 | enum | derived | personal
        """
}
