import sys, time, os
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
arch, batch, epochs, n, threads = sys.argv[1], *map(int, sys.argv[2:6])
torch.set_num_threads(threads); torch.manual_seed(42)
def same_pool(x,k,s=2):
    H,W=x.shape[-2:]
    ph=max((-(-H//s)-1)*s+k-H,0); pw=max((-(-W//s)-1)*s+k-W,0)
    if ph or pw:
        if ph%2==0 and pw%2==0: return F.max_pool2d(x,k,s,padding=(ph//2,pw//2))
        x=F.pad(x,(pw//2,pw-pw//2,ph//2,ph-ph//2),value=float('-inf'))
    return F.max_pool2d(x,k,s)
class Cnn(nn.Module):
    def __init__(s, two):
        super().__init__(); s.two=two
        s.c1=nn.Conv2d(1,32,3); s.c2=nn.Conv2d(32,64,3); s.c3=nn.Conv2d(64,64,2)
        if two: s.b1,s.b2,s.b3=[nn.BatchNorm2d(c,eps=1e-3,momentum=0.01) for c in (32,64,64)]
        h=128 if two else 64
        s.d1=nn.Linear(960,h); s.d2=nn.Linear(h,10)
    def forward(s,x):
        t=s.two; d=lambda x,p: F.dropout(x,p) if t else x
        x=F.relu(s.c1(x)); x=s.b1(x) if t else x; x=d(same_pool(x,3),.2)
        x=F.relu(s.c2(x)); x=s.b2(x) if t else x; x=d(same_pool(x,3),.1)
        x=F.relu(s.c3(x)); x=s.b3(x) if t else x; x=d(same_pool(x,2),.1)
        return s.d2(d(F.relu(s.d1(x.flatten(1))),.5))
class Mlp(nn.Module):
    def __init__(s):
        super().__init__()
        s.l=nn.ModuleList([nn.Linear(1690,512),nn.Linear(512,256),nn.Linear(256,64)]); s.o=nn.Linear(64,10); s.drop=nn.Dropout(0.3)
    def forward(s,x):
        x=x.flatten(1)
        for l in s.l: x=s.drop(F.relu(l(x)))
        return s.o(x)
    def l2(s): return 0.001*sum((l.weight**2).sum() for l in s.l)
m = Mlp() if arch=='dnn' else Cnn(arch=='cnn-2')
if os.environ.get('CL'): m=m.to(memory_format=torch.channels_last)
opt=torch.optim.Adam(m.parameters(),lr=1e-4,eps=1e-7,fused=bool(os.environ.get('FUSED')))
rng=np.random.default_rng(0)
X=rng.uniform(-.5,.5,(n,1,130,13)).astype(np.float32); Y=rng.integers(0,10,n)
X=torch.from_numpy(X); Y=torch.from_numpy(Y)
rates=[]; c0=time.process_time()
for ep in range(epochs+1):
    p=torch.randperm(n); t=time.time(); acc=0
    for i in range(0,n,batch):
        ix=p[i:i+batch]; x=X[ix]; y=Y[ix]
        if os.environ.get('CL'): x=x.contiguous(memory_format=torch.channels_last)
        opt.zero_grad(set_to_none=True); l=F.cross_entropy(m(x),y); acc+=l.detach()
        if arch=='dnn': l=l+m.l2()
        l.backward(); opt.step()
    float(acc); rates.append(n/(time.time()-t))
r=sorted(rates[1:])
print(f"RESULT torch-{torch.__version__} {'CL ' if os.environ.get('CL') else ''}{'FUSED ' if os.environ.get('FUSED') else ''}{arch} b{batch} t{threads} median {r[len(r)//2]:.0f} max {r[-1]:.0f} percpu {(epochs+1)*n/(time.process_time()-c0):.0f}",flush=True)
