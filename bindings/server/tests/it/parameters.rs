//! What can be wrong with a question in a query string: each field by its name, all at once.

use crate::client::*;

#[tokio::test]
async fn bad_parameters_are_400_and_name_the_field() {
    let range = "startDate=2026-01-01&endDate=2026-01-31";
    let insights = |more: &str| format!("{range}&steps=search,book&{more}");
    let cohorts =
        |more: &str| format!("{range}&cohortPeriod=weekly&analysisMetric=retention_rate&{more}");
    let many = format!("steps={}", vec!["a"; 65].join(","));
    let table: Vec<(&str, String, &[&str])> = vec![
        (
            REALTIME,
            "metrics=users".into(),
            &["metrics[0] not_in_list"],
        ),
        (
            REALTIME,
            "metrics=active_users,x&metrics[]=y".into(),
            &["metrics[1] not_in_list", "metrics[2] not_in_list"],
        ),
        (REALTIME, "metrics=".into(), &["metrics[0] not_in_list"]),
        (
            REALTIME,
            "metrics=%7B%22a%22:1%7D".into(),
            &["metrics[0] invalid_type"],
        ),
        (
            REALTIME,
            "timeRange=last_day".into(),
            &["timeRange not_in_list"],
        ),
        (REALTIME, "timeRange=".into(), &["timeRange not_in_list"]),
        (
            REALTIME,
            "timeRange=last_hour&timeRange=last_hour".into(),
            &["timeRange repeated"],
        ),
        (
            REALTIME,
            "refreshInterval=4".into(),
            &["refreshInterval out_of_range"],
        ),
        (
            REALTIME,
            "refreshInterval=301".into(),
            &["refreshInterval out_of_range"],
        ),
        (
            REALTIME,
            "refreshInterval=-5".into(),
            &["refreshInterval out_of_range"],
        ),
        (
            REALTIME,
            "refreshInterval=30.5".into(),
            &["refreshInterval invalid_type"],
        ),
        (
            REALTIME,
            "refreshInterval=abc".into(),
            &["refreshInterval invalid_type"],
        ),
        (
            REALTIME,
            "refreshInterval=".into(),
            &["refreshInterval invalid_type"],
        ),
        (
            REALTIME,
            "refreshInterval=5&refreshInterval=6".into(),
            &["refreshInterval repeated"],
        ),
        (REALTIME, "color=red".into(), &["color unknown_field"]),
        (
            INSIGHTS,
            "steps=a".into(),
            &["startDate required", "endDate required"],
        ),
        (
            INSIGHTS,
            "steps=a&startDate=2026-01-01".into(),
            &["endDate required"],
        ),
        (
            INSIGHTS,
            "steps=a&startDate=&endDate=2026-01-31".into(),
            &["startDate invalid_date"],
        ),
        (
            INSIGHTS,
            "steps=a&startDate=01/02/2026&endDate=2026-01-31".into(),
            &["startDate invalid_date"],
        ),
        (
            INSIGHTS,
            "steps=a&startDate=2026-02-30&endDate=2026-02-31".into(),
            &["startDate invalid_date", "endDate invalid_date"],
        ),
        (
            INSIGHTS,
            "steps=a&startDate=2026-01-31&endDate=2026-01-01".into(),
            &["endDate not_after_start"],
        ),
        (
            INSIGHTS,
            "steps=a&startDate=2026-01-31&endDate=2026-01-31".into(),
            &["endDate not_after_start"],
        ),
        (
            INSIGHTS,
            "steps=a&startDate=2026-03-02&endDate=2026-03-03".into(),
            &["startDate in_future", "endDate in_future"],
        ),
        (
            INSIGHTS,
            "steps=a&startDate=2026-01-01&endDate=2099-01-01".into(),
            &["endDate in_future"],
        ),
        (
            INSIGHTS,
            insights("timezone=Mars/Base"),
            &["timezone unknown_zone"],
        ),
        (INSIGHTS, insights("timezone="), &["timezone unknown_zone"]),
        (INSIGHTS, insights("segment=gold"), &["segment not_in_list"]),
        (
            INSIGHTS,
            insights("segment=all&segment=new"),
            &["segment repeated"],
        ),
        (
            INSIGHTS,
            insights("insightType=funnel"),
            &["insightType not_in_list"],
        ),
        (INSIGHTS, insights("limit=0"), &["limit out_of_range"]),
        (INSIGHTS, insights("limit=101"), &["limit out_of_range"]),
        (INSIGHTS, insights("limit=ten"), &["limit invalid_type"]),
        (INSIGHTS, insights("window=-1d"), &["window out_of_range"]),
        (INSIGHTS, insights("window=-60"), &["window out_of_range"]),
        (
            INSIGHTS,
            insights("window=soon"),
            &["window invalid_window"],
        ),
        (
            INSIGHTS,
            insights("window=1d&window=2d"),
            &["window repeated"],
        ),
        (
            INSIGHTS,
            insights("strictIncrease=maybe"),
            &["strictIncrease invalid_type"],
        ),
        (
            INSIGHTS,
            insights("timeBetween=2,1"),
            &["timeBetween out_of_range"],
        ),
        (
            INSIGHTS,
            insights("timeBetween=1"),
            &["timeBetween invalid_length"],
        ),
        (
            INSIGHTS,
            insights("asOf=2099-01-01T00:00:00Z"),
            &["asOf in_future"],
        ),
        (INSIGHTS, insights("asOf=yesterday"), &["asOf invalid_date"]),
        (
            INSIGHTS,
            insights("StartDate=2026-01-01"),
            &["StartDate unknown_field"],
        ),
        (
            INSIGHTS,
            insights("cohortPeriod=weekly"),
            &["cohortPeriod unknown_field"],
        ),
        (
            INSIGHTS,
            format!("{range}&{many}"),
            &["steps invalid_length"],
        ),
        (
            INSIGHTS,
            format!("{range}&steps=%5B%5D"),
            &["steps invalid_length"],
        ),
        (
            INSIGHTS,
            format!("{range}&steps="),
            &["steps[0] invalid_length"],
        ),
        (
            INSIGHTS,
            format!("{range}&steps=a,,b"),
            &["steps[1] invalid_length"],
        ),
        (
            COHORTS,
            range.into(),
            &["cohortPeriod required", "analysisMetric required"],
        ),
        (
            COHORTS,
            format!("{range}&cohortPeriod=yearly&analysisMetric=retention_rate"),
            &["cohortPeriod not_in_list"],
        ),
        (
            COHORTS,
            format!("{range}&cohortPeriod=daily&analysisMetric=churn"),
            &["analysisMetric not_in_list"],
        ),
        (
            COHORTS,
            format!("{range}&cohortPeriod=daily&analysisMetric=property_sum"),
            &["property required"],
        ),
        (COHORTS, cohorts("unit=1h"), &["unit not_in_list"]),
        (
            COHORTS,
            cohorts("unit=month_anniversary"),
            &["unit contradiction"],
        ),
        (
            COHORTS,
            cohorts("criterion=brackets"),
            &["brackets required"],
        ),
        (
            COHORTS,
            cohorts("brackets=[[2,4],[1,2]]"),
            &["brackets invalid_brackets"],
        ),
        (
            COHORTS,
            cohorts("minimumOccurrences=0&maturity=ripe&pooling=some&preset=heap"),
            &[
                "preset not_in_list",
                "minimumOccurrences out_of_range",
                "maturity not_in_list",
                "pooling not_in_list",
            ],
        ),
        (COHORTS, cohorts("segment=vip"), &["segment not_in_list"]),
        (
            COHORTS,
            cohorts("weekStart=funday"),
            &["weekStart not_in_list"],
        ),
        (COHORTS, cohorts("mode=always"), &["mode not_in_list"]),
        (COHORTS, cohorts("periods=-1"), &["periods out_of_range"]),
        (COHORTS, cohorts("start="), &["start invalid_length"]),
        (
            COHORTS,
            cohorts("x=1&x=2&y"),
            &["x unknown_field", "y unknown_field"],
        ),
        (
            COHORTS,
            "startDate=x&endDate=2099-01-01&cohortPeriod=w&segment=s&segment=t&zzz=1".into(),
            &[
                "cohortPeriod not_in_list",
                "analysisMetric required",
                "startDate invalid_date",
                "segment repeated",
                "endDate in_future",
                "zzz unknown_field",
            ],
        ),
    ];
    let server = Server::new();
    for (path, query, faults) in table {
        let reply = server.ask(path, &query, "viewer").await;
        assert_eq!(reply.faults(), faults, "{path} {query}");
    }
}

#[tokio::test]
async fn whatever_stands_once_only_is_refused_when_it_stands_twice() {
    let server = Server::new();
    let cohorts = [
        "startDate",
        "endDate",
        "cohortPeriod",
        "analysisMetric",
        "segment",
        "timezone",
        "mode",
        "unit",
        "criterion",
        "minimumOccurrences",
        "maturity",
        "pooling",
        "preset",
        "weekStart",
        "periods",
        "asOf",
    ];
    let insights = [
        "startDate",
        "endDate",
        "segment",
        "insightType",
        "limit",
        "window",
        "timezone",
        "asOf",
        "strictIncrease",
    ];
    for (path, names) in [
        (COHORTS, &cohorts[..]),
        (INSIGHTS, &insights[..]),
        (REALTIME, &["timeRange", "refreshInterval"]),
    ] {
        for name in names {
            let reply = server
                .ask(path, &format!("{name}=1&{name}=1"), "viewer")
                .await;
            assert!(
                reply.faults().contains(&format!("{name} repeated")),
                "{path} {name}: {}",
                reply.text
            );
        }
    }
}
