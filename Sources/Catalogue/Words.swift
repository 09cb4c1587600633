import Faults

// The terms of the documents, as people read them.

extension Catalogue.Mode {
    package var words: Phrase {
        switch self {
        case .aggregation: Phrase(en: "physical aggregation", zh: "物理归集")
        case .interfaceCall: Phrase(en: "interface call", zh: "接口调用")
        case .verification: Phrase(en: "data verification", zh: "数据核验")
        }
    }
}

extension Catalogue.Level {
    package var words: Phrase {
        switch self {
        case .national: Phrase(en: "national", zh: "国家层面")
        case .local: Phrase(en: "local", zh: "地方层面")
        case .either: Phrase(en: "national or local", zh: "国家或地方层面")
        case .unstated: Phrase(en: "level not stated", zh: "未注明层面")
        }
    }
}

extension Catalogue.Authorisation {
    package var words: Phrase {
        switch self {
        case .required: Phrase(en: "authorisation of the subject required", zh: "须经信息主体授权")
        case .partial: Phrase(en: "authorisation required for a part", zh: "部分须经授权")
        case .none: Phrase(en: "no authorisation printed", zh: "清单未注明授权")
        }
    }
}

extension Catalogue.Disclosure {
    package var words: Phrase {
        switch self {
        case .authorised: Phrase(en: "to others only with the subject's authorisation", zh: "对外提供须经信息主体授权")
        case .maskedOrAuthorised: Phrase(en: "to others masked, or with the subject's authorisation", zh: "对外提供须经脱敏处理或信息主体授权")
        case .open: Phrase(en: "holds nothing personal or secret", zh: "不含个人隐私与商业秘密")
        }
    }
}

extension Catalogue.Key.Kind {
    package var words: Phrase {
        switch self {
        case .creditCode: Phrase(en: "unified social credit code", zh: "统一社会信用代码")
        case .creditCodeOrPerson: Phrase(en: "unified social credit code or a person's identity number", zh: "统一社会信用代码或身份证号码")
        case .identityDocument: Phrase(en: "number of an identity document", zh: "证件号码")
        case .person: Phrase(en: "a person's identity number", zh: "个人身份证件号码")
        case .propertyUnit: Phrase(en: "number of a property unit", zh: "不动产单元号")
        case .name: Phrase(en: "a name alone", zh: "仅有名称")
        case .none: Phrase(en: "none printed", zh: "清单未列明")
        }
    }
}

extension Catalogue.Field.Kind {
    package var words: Phrase {
        switch self {
        case .string: Phrase(en: "text", zh: "文本")
        case .documentNumber: Phrase(en: "number of a document", zh: "证件或编号")
        case .integer: Phrase(en: "integer", zh: "整数")
        case .decimal: Phrase(en: "decimal", zh: "小数")
        case .date: Phrase(en: "date", zh: "日期")
        case .boolean: Phrase(en: "yes or no", zh: "是否")
        case .enumeration: Phrase(en: "category", zh: "分类")
        }
    }
}

extension Catalogue.Field.Shape {
    package var words: Phrase? {
        switch self {
        case .scalar: nil
        case .records: Phrase(en: "records", zh: "多条记录")
        case .monthlySeries: Phrase(en: "by month", zh: "按月序列")
        case .document: Phrase(en: "document", zh: "文书")
        }
    }
}

extension Catalogue.Field.Use {
    package var words: Phrase {
        switch self {
        case .none: Phrase(en: "not in models", zh: "不入模")
        case .derived: Phrase(en: "derived", zh: "衍生后入模")
        case .direct: Phrase(en: "direct", zh: "直接入模")
        }
    }
}

extension Catalogue.Field.Mark {
    package var words: Phrase {
        switch self {
        case .key: Phrase(en: "key", zh: "主键")
        case .name: Phrase(en: "name", zh: "名称")
        case .personal: Phrase(en: "personal", zh: "个人信息")
        case .secret: Phrase(en: "trade secret", zh: "商业秘密")
        case .authorised: Phrase(en: "authorisation for disclosure", zh: "对外须授权")
        }
    }
}
