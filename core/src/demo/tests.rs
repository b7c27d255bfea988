use super::*;

fn small(seed: u64) -> Demo {
    Demo { seed, users: 400, days: 21, ..Demo::until("2026-03-15T09:30:00Z".parse().unwrap()) }
}

#[test]
fn funnel_probe() {
    let t = std::time::Instant::now();
    let world = Demo::until("2026-03-15T09:30:00Z".parse().unwrap()).make().unwrap();
    eprintln!("make {:?} {}", t.elapsed(), std::mem::size_of::<Event>());
    let t = std::time::Instant::now();
    let mut bytes = 0;
    for b in world.batches(Table::Events) { bytes += b.unwrap().get_array_memory_size(); }
    eprintln!("batches {:?} {bytes}", t.elapsed());
    for t in Table::ALL { eprintln!("{} {}", t.name(), world.count(t)); }
    let mut names = std::collections::BTreeMap::new();
    for e in &world.all.events { *names.entry(rows::name(e.what)).or_insert(0) += 1; }
    eprintln!("{names:?}");
    for t in Table::ALL {
        let mut v = Vec::new();
        world.write_ndjson(t, &mut v).unwrap();
        let s = String::from_utf8(v).unwrap();
        for l in s.lines().take(3) { eprintln!("{l}"); }
    }
    // funnel
    let steps = ["search", "view_trip", "start_booking", "complete_booking"];
    let mut per: Vec<Vec<(i64, u32, &str)>> = vec![vec![]; 50_000];
    for e in &world.all.events { if e.person != person::NOBODY { per[e.person as usize].push((e.ts, e.seq, rows::name(e.what))); } }
    let mut counts = [0; 4];
    for p in &mut per {
        p.sort(); p.dedup();
        let mut best = 0;
        for (i, e) in p.iter().enumerate() { if e.2 == steps[0] {
            let mut d = 1; 
            for f in &p[i+1..] { if f.0 - e.0 > 14 * DAY { break } if d < 4 && f.2 == steps[d] { d += 1 } }
            best = best.max(d);
        } }
        for c in counts.iter_mut().take(best) { *c += 1; }
    }
    eprintln!("funnel {counts:?}");
    // weekly retention by first week
    let start = world.demo.start();
    let mut ret = vec![[0; 14]; 14];
    for p in &per { if let Some(f) = p.first() { 
        let w0 = (f.0 - start) / (7*DAY);
        let mut seen = [false; 14];
        for e in p { seen[(((e.0 - start)/(7*DAY)) - w0) as usize] = true; }
        for (k, s) in seen.iter().enumerate() { if *s { ret[w0 as usize][k] += 1; } }
    } }
    for r in &ret { eprintln!("{r:?}"); }
    let mut day = vec![0; 100];
    for e in &world.all.events { day[((e.ts - start)/DAY) as usize] += 1; }
    eprintln!("{day:?}");
}
